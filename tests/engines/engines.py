"""What a test wants to know of an engine, and may do to it."""

import contextlib
import os
import zlib

from django.db import connection

# In the database of Redis that may be emptied.
OURS = "wagtail-member-reset-tests"


class OnDatabase:
    worker = ["db_worker", "--interval", "0.1", "--no-startup-delay", "--no-reload"]
    keeps_time = []
    until_empty = "--batch"

    def forget(self, name=""):
        """Lose the tasks of this name, or all, as when somebody empties the queue."""
        self._rows().filter(task_path__endswith=name).delete()

    def waiting(self):
        """The tasks that wait, those to come included: (name, arguments)."""
        rows = self._rows().filter(status="READY")
        return [(path.rpartition(".")[2], kept["args"]) for path, kept in rows.values_list("task_path", "args_kwargs")]

    def left_behind(self):
        """How many tasks are said to run."""
        return self._rows().filter(status="RUNNING").count()

    def content(self):
        """All that the engine keeps, as text."""
        with connection.cursor() as cursor:
            cursor.execute(f"SELECT task::text FROM {self._table()} task")
            return "\n".join(row for (row,) in cursor.fetchall())

    @contextlib.contextmanager
    def out_of_order(self):
        """It takes no task; what a process needs to know of it."""
        with connection.cursor() as cursor:
            cursor.execute(f"ALTER TABLE {self._table()} RENAME TO elsewhere")
            try:
                yield {}
            finally:
                cursor.execute(f"ALTER TABLE elsewhere RENAME TO {self._table()}")

    def _rows(self):
        from django_tasks_db.models import DBTaskResult

        return DBTaskResult.objects.all()

    def _table(self):
        return self._rows().model._meta.db_table


class OnRedis:
    worker = ["rqworker", "--job-class", "django_tasks_rq.Job"]
    # One worker at a time watches the clock; when it is killed, another takes two minutes to notice.
    keeps_time = ["--with-scheduler"]
    until_empty = "--burst"

    def forget(self, name=""):
        if not name:
            self._empty()
        for job in self._jobs():
            if job.func_name.endswith(f".{name}"):
                job.delete()

    def waiting(self):
        return [(job.func_name.rpartition(".")[2], list(job.args)) for job in self._jobs()]

    def left_behind(self):
        return len(self._queue().started_job_registry.get_job_ids(cleanup=False))

    def content(self):
        redis, found = self._redis(), []
        for key in redis.scan_iter():
            kind = redis.type(key).decode()
            if kind == "hash":
                values = [value for pair in redis.hgetall(key).items() for value in pair]
            elif kind == "list":
                values = redis.lrange(key, 0, -1)
            elif kind == "stream":
                values = [value for _id, entry in redis.xrange(key) for pair in entry.items() for value in pair]
            elif kind == "set":
                values = redis.smembers(key)
            elif kind == "zset":
                values = redis.zrange(key, 0, -1)
            else:
                values = [redis.get(key)]
            found += [key, *values]
        return "\n".join(_text(value) for value in found)

    @contextlib.contextmanager
    def out_of_order(self):
        # Nothing listens there.
        yield {"SITE_REDIS_URL": "redis://127.0.0.1:1/11"}

    def _empty(self):
        redis = self._redis()
        if redis.dbsize() and not redis.exists(OURS):
            raise RuntimeError("This database of Redis has keys that no test wrote: name another server in REDIS_URL.")
        redis.flushdb()
        redis.set(OURS, "")

    def _jobs(self):
        from django_tasks_rq import Job

        queue = self._queue()
        keys = [*queue.job_ids, *queue.scheduled_job_registry.get_job_ids()]
        return Job.fetch_many(keys, connection=queue.connection)

    def _queue(self):
        import django_rq
        from django_tasks_rq import Job

        return django_rq.get_queue("default", job_class=Job)

    def _redis(self):
        return self._queue().connection


def _text(value):
    with contextlib.suppress(zlib.error):  # RQ packs what a task takes and gives
        value = zlib.decompress(value)
    return value.decode("utf-8", "replace")


ENGINES = {"tests.engines.on_db": OnDatabase, "tests.engines.on_rq": OnRedis}
# The engine of this run's site; None where the suite runs without one.
ENGINE = ENGINES.get(os.environ["DJANGO_SETTINGS_MODULE"])
