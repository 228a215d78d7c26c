/*
 * Keeps the page of a run up to date while the run is under way and the page can be seen. Without it,
 * the page says what was true when it was asked for.
 */
(() => {
  const EVERY_MS = 2000;
  const SPOKEN_EVERY_MS = 15000;

  class MemberResetRunController extends window.StimulusModule.Controller {
    static targets = ["body", "poll", "spoken"];

    static values = { url: String };

    connect() {
      this.wakened = () => this.schedule();
      document.addEventListener("visibilitychange", this.wakened);
      this.spokenAt = Date.now();
    }

    disconnect() {
      document.removeEventListener("visibilitychange", this.wakened);
      clearTimeout(this.timer);
    }

    pollTargetConnected() {
      this.schedule();
    }

    schedule() {
      clearTimeout(this.timer);
      if (this.hasPollTarget && !document.hidden) this.timer = setTimeout(() => this.poll(), EVERY_MS);
    }

    async poll() {
      try {
        const headers = { "X-Requested-With": "XMLHttpRequest" };
        const response = await fetch(this.urlValue, { credentials: "same-origin", redirect: "error", headers });
        // Somebody about to press a button keeps it under their finger.
        if (response.ok && !this.bodyTarget.contains(document.activeElement)) this.renew(await response.text());
      } catch (error) {
        // The next look may fare better.
      }
      this.schedule();
    }

    renew(html) {
      this.bodyTarget.innerHTML = html;
      if (this.hasPollTarget && Date.now() - this.spokenAt < SPOKEN_EVERY_MS) return;
      this.spokenAt = Date.now();
      this.spokenTarget.textContent = this.bodyTarget.querySelector("[data-spoken]").textContent;
    }
  }

  window.wagtail.app.register("member-reset-run", MemberResetRunController);
})();
