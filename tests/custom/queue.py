try:
    from django.tasks.backends.base import BaseTaskBackend
except ImportError:
    from django_tasks.backends.base import BaseTaskBackend


class QueueBackend(BaseTaskBackend):
    """Stands for an engine whose workers run beside the site."""

    def enqueue(self, task, args, kwargs):
        raise NotImplementedError
