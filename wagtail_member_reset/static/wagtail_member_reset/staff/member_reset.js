/*
 * Swaps the panel's content for what the server answers, so that nothing on the other
 * tabs is saved, sent or lost. Copying itself is Wagtail's own w-clipboard.
 */
(() => {
  const FETCH = { credentials: "same-origin", redirect: "error" };

  class MemberResetController extends window.StimulusModule.Controller {
    static targets = ["body", "problem", "link", "clipboard", "unsaved"];

    static values = { failed: String, denied: String, copiedUrl: String };

    load(event) {
      if (event.metaKey || event.ctrlKey || event.shiftKey) return;
      event.preventDefault();
      this.swap(event.params.url || event.currentTarget.href, {});
    }

    post(event) {
      // On the page that works without this script there is a form to be sent.
      if (!this.hasBodyTarget) return;
      event.preventDefault();
      const { name, value } = event.currentTarget;
      this.swap(event.params.url, { method: "POST", body: this.encode(name ? { [name]: value } : {}) });
    }

    async swap(url, options) {
      if (this.element.getAttribute("aria-busy") === "true") return;
      this.element.setAttribute("aria-busy", "true");
      this.problemTarget.hidden = true;
      try {
        const response = await fetch(url, { ...FETCH, ...options, headers: this.headers });
        if (!response.ok) throw new Error(String(response.status));
        this.bodyTarget.innerHTML = await response.text();
        this.bodyTarget.querySelector("[data-member-reset-focus]")?.focus();
      } catch (error) {
        this.problemTarget.textContent = error.message === "403" ? this.deniedValue : this.failedValue;
        this.problemTarget.hidden = false;
      } finally {
        this.element.removeAttribute("aria-busy");
      }
    }

    showAccount(event) {
      event.preventDefault();
      document.getElementById("tab-label-account")?.click();
      const email = document.getElementById("id_email");
      if (!email) return;
      // Wagtail shows the tab a moment later, and what is not shown cannot take the focus.
      const shown = new ResizeObserver(() => {
        if (!email.getClientRects().length) return;
        shown.disconnect();
        email.focus();
      });
      shown.observe(email);
    }

    unsavedTargetConnected(note) {
      const email = document.getElementById("id_email");
      note.hidden = !email || email.value === email.defaultValue;
    }

    /* Without https there is no clipboard API: select the link, and try the way of old. */
    copyFailed() {
      this.linkTarget.focus();
      this.linkTarget.select();
      let copied = false;
      try {
        copied = document.execCommand("copy");
      } catch (error) {
        copied = false;
      }
      this.dispatch(copied ? "copied" : "uncopied", {
        target: this.clipboardTarget,
        detail: { clear: true, type: copied ? "success" : "error" },
      });
      if (copied) this.noteCopied();
    }

    noteCopied() {
      const body = this.encode({ reset: this.clipboardTarget.dataset.reset });
      fetch(this.copiedUrlValue, { ...FETCH, method: "POST", body, headers: this.headers }).catch(() => {});
    }

    encode(values) {
      return new URLSearchParams(values);
    }

    get headers() {
      const token = document.querySelector('[name="csrfmiddlewaretoken"]');
      return { "X-Requested-With": "XMLHttpRequest", "X-CSRFToken": token ? token.value : "" };
    }
  }

  window.wagtail.app.register("member-reset", MemberResetController);
})();
