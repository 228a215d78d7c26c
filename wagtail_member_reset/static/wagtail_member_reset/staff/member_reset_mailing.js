/*
 * Updates the page of a mailing under way, as long as the page is visible. Without this script, the page shows
 * the progress as it was when it was loaded.
 */
(() => {
  const EVERY_MS = 2000;
  const PAUSED_EVERY_MS = 10000; // somebody else may resume it
  const SPOKEN_EVERY_MS = 15000;
  const MOST_FAILURES = 5;

  class MemberResetMailingController extends window.StimulusModule.Controller {
    static targets = ["body", "part", "poll", "problem", "reload", "spoken"];

    static values = { url: String };

    connect() {
      this.failures = 0;
      this.spokenAt = Date.now();
      this.wakened = () => {
        this.failures = 0;
        this.schedule();
      };
      document.addEventListener("visibilitychange", this.wakened);
    }

    disconnect() {
      document.removeEventListener("visibilitychange", this.wakened);
      clearTimeout(this.timer);
    }

    reloadTargetConnected(hint) {
      hint.hidden = true; // this script does it
    }

    pollTargetConnected() {
      this.schedule();
    }

    schedule() {
      clearTimeout(this.timer);
      if (!this.hasPollTarget || document.hidden || this.failures > MOST_FAILURES) return;
      const isPaused = this.pollTarget.dataset.state.startsWith("paused");
      this.timer = setTimeout(() => this.poll(), isPaused ? PAUSED_EVERY_MS : EVERY_MS);
    }

    async poll() {
      try {
        const headers = { "X-Requested-With": "XMLHttpRequest" };
        const response = await fetch(this.urlValue, { credentials: "same-origin", redirect: "error", headers });
        if (!response.ok) throw new Error(String(response.status));
        this.renew(await response.text());
        this.failures = 0;
      } catch (error) {
        this.failures += 1;
      }
      this.problemTarget.hidden = this.failures <= MOST_FAILURES;
      this.schedule();
    }

    /* Replaces what changed. The buttons stay while they are the same: somebody may be about to press one. */
    renew(html) {
      const fresh = document.createElement("template");
      fresh.innerHTML = html;
      const focused = this.bodyTarget.contains(document.activeElement) ? document.activeElement : null;
      this.partTargets.forEach((part) => {
        const { part: name, state } = part.dataset;
        const newer = fresh.content.querySelector(`[data-part="${name}"]`);
        if (state === undefined || state !== newer.dataset.state) part.replaceWith(newer);
      });
      if (focused && !document.contains(focused)) {
        const same = focused.id && document.getElementById(focused.id);
        (same || document.getElementById("member-reset-mailing")).focus({ preventScroll: true });
      }
      this.speak();
    }

    /* Reads the progress out now and then and at the end, not at every number. */
    speak() {
      if (this.hasPollTarget && Date.now() - this.spokenAt < SPOKEN_EVERY_MS) return;
      this.spokenAt = Date.now();
      const sentence = this.bodyTarget.querySelector("[data-spoken]").textContent;
      this.spokenTarget.textContent = sentence.replace(/\s+/g, " ").trim();
    }
  }

  window.wagtail.app.register("member-reset-mailing", MemberResetMailingController);
})();
