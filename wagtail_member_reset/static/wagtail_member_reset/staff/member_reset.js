/*
 * Swaps the panel's content for what the server answers, so that nothing on the other
 * tabs is saved, sent or lost. Copying itself is Wagtail's own w-clipboard.
 *
 * While a link works the server marks the panel with a `poll` target. As long as
 * it stands there, the panel asks for news, less and less often, and only while it can
 * be seen. The server answers with nothing when there is none.
 */
(() => {
  const FETCH = { credentials: "same-origin", redirect: "error" };
  const FIRST_POLL_MS = 1000;
  const SLOWEST_POLL_MS = 60000;
  const MOST_FAILURES = 5;

  class MemberResetController extends window.StimulusModule.Controller {
    static targets = ["body", "problem", "spoken", "clipboard", "unsaved", "part", "history", "poll", "address", "back"];

    static values = { failed: String, denied: String, copiedUrl: String, panelUrl: String, historyUrl: String, field: String };

    connect() {
      this.wakened = () => {
        this.delay = FIRST_POLL_MS;
        this.failures = 0;
        this.schedule();
      };
      document.addEventListener("visibilitychange", this.wakened);
    }

    disconnect() {
      document.removeEventListener("visibilitychange", this.wakened);
      this.observer?.disconnect();
      clearTimeout(this.timer);
    }

    load(event) {
      if (event.metaKey || event.ctrlKey || event.shiftKey) return;
      event.preventDefault();
      // Who goes back from a question is where the question was opened.
      const isBack = this.backTargets.includes(event.currentTarget);
      const opener = isBack ? this.opener : "";
      this.opener = event.currentTarget.id;
      this.swap(event.params.url || event.currentTarget.href, {}, { from: event.currentTarget, focus: opener });
    }

    back() {
      if (this.hasBackTarget) this.backTarget.click();
    }

    /* Sends at once; asks first where the address was changed on the other tab and not saved. */
    send(event) {
      if (event.metaKey || event.ctrlKey || event.shiftKey) return;
      if (this.isAddressUnsaved) {
        this.load(event);
        return;
      }
      event.preventDefault();
      const body = new URLSearchParams({ effect: event.params.effect });
      this.swap(event.currentTarget.href, { method: "POST", body }, { from: event.currentTarget });
    }

    post(event) {
      // On the page that works without this script there is a form to be sent.
      if (!this.hasBodyTarget) return;
      event.preventDefault();
      const { name, value } = event.currentTarget;
      const inputs = [...this.bodyTarget.querySelectorAll("input[form], select[form]")];
      const typed = inputs.filter((input) => input.type !== "checkbox" || input.checked).map((input) => [input.name, input.value]);
      const chosen = name ? [[name, value]] : [];
      this.swap(event.params.url, { method: "POST", body: new URLSearchParams([...typed, ...chosen]) }, { from: event.currentTarget });
    }

    /* Asks anew for the site that was chosen, since a link may end by it. Who goes on choosing meanwhile is heard. */
    async choose({ currentTarget, params }) {
      this.site = currentTarget.value;
      if (this.element.getAttribute("aria-busy") === "true") return;
      const typed = [...this.bodyTarget.querySelectorAll("input[form]")].map(({ id, value }) => [id, value]);
      let asked;
      do {
        asked = this.site;
        await this.swap(`${params.url}?${this.encode({ site: asked })}`, {}, { from: currentTarget, focus: currentTarget.id });
      } while (asked !== this.site);
      typed.forEach(([id, value]) => {
        const input = document.getElementById(id);
        if (input) input.value = value;
      });
      const question = this.bodyTarget.querySelector(".member-reset__question");
      this.spokenTarget.textContent = question ? question.textContent.replace(/\s+/g, " ").trim() : "";
    }

    async swap(url, options, { from, focus }) {
      if (this.element.getAttribute("aria-busy") === "true") return;
      this.element.setAttribute("aria-busy", "true");
      this.problemTarget.hidden = true;
      this.spokenTarget.textContent = "";
      try {
        const response = await fetch(url, { ...FETCH, ...options, headers: this.headers });
        if (!response.ok) throw new Error(String(response.status));
        const html = await response.text();
        this.keepProblem();
        this.bodyTarget.innerHTML = html;
        const place = focus && document.getElementById(focus);
        // A field that is to be corrected has its error read with it.
        const wrong = this.bodyTarget.querySelector("[aria-invalid='true']");
        (place || wrong || this.bodyTarget.querySelector("[data-member-reset-focus]"))?.focus();
        this.count();
      } catch (error) {
        this.problemTarget.textContent = error.message === "403" ? this.deniedValue : this.failedValue;
        this.showProblem(from);
      } finally {
        this.element.removeAttribute("aria-busy");
      }
    }

    /* Says what another controller found, beside the buttons. */
    tell({ detail }) {
      document.getElementById("tab-label-settings")?.click();
      this.problemTarget.textContent = detail.text;
      this.showProblem(this.bodyTarget.querySelector(".member-reset__actions"));
      this.focusOnceShown(this.problemTarget);
    }

    /* Beside what was pressed. The focus has it read, once. */
    showProblem(from) {
      const group = from && this.bodyTarget.contains(from) && from.closest(".member-reset__actions, p, div");
      if (group) group.after(this.problemTarget);
      this.problemTarget.hidden = false;
      this.problemTarget.focus();
    }

    /* What is about to be replaced must not take the place for errors with it. */
    keepProblem() {
      if (this.bodyTarget.contains(this.problemTarget)) this.element.append(this.problemTarget);
    }

    pollTargetConnected() {
      this.delay = FIRST_POLL_MS;
      this.failures = 0;
      this.schedule();
    }

    pollTargetDisconnected() {
      clearTimeout(this.timer);
    }

    schedule() {
      clearTimeout(this.timer);
      if (!this.hasPollTarget || document.hidden || this.failures > MOST_FAILURES) return;
      this.timer = setTimeout(() => this.poll(this.pollTarget), this.delay);
      this.delay = Math.min(this.delay * 1.5, SLOWEST_POLL_MS);
    }

    async poll(asked) {
      try {
        const shown = this.hasClipboardTarget ? this.clipboardTarget.dataset.reset : "";
        const query = this.encode({ seen: asked.dataset.seen, shown });
        const response = await fetch(`${this.panelUrlValue}?${query}`, { ...FETCH, headers: this.headers });
        if (!response.ok) throw new Error(String(response.status));
        const html = response.status === 204 ? "" : await response.text();
        // Meanwhile somebody may have clicked: what stands there now is newer.
        if (html && this.hasPollTarget && this.pollTarget === asked) this.renew(html);
        this.failures = 0;
      } catch (error) {
        this.failures += 1;
      }
      this.schedule();
    }

    /* Puts in what is new, and leaves alone what is not: who is reading, copying or about to press, goes on. */
    renew(html) {
      const fresh = document.createElement("template");
      fresh.innerHTML = html;
      const parts = [...fresh.content.querySelectorAll("[data-part]")];
      this.keepProblem();
      const focused = this.bodyTarget.contains(document.activeElement) ? document.activeElement : null;
      if (parts.map((part) => part.dataset.part).join() === this.partTargets.map((part) => part.dataset.part).join()) {
        this.partTargets.forEach((part, index) => {
          if (part.dataset.state === parts[index].dataset.state) return;
          part.dataset.state = parts[index].dataset.state;
          part.innerHTML = parts[index].innerHTML;
        });
        this.loadHistory();
      } else {
        this.bodyTarget.innerHTML = html;
      }
      if (focused && !document.contains(focused)) {
        const same = focused.id && document.getElementById(focused.id);
        (same || this.partTargets[0])?.focus({ preventScroll: true });
      }
      this.count();
      this.speak();
    }

    /* Screen readers hear the verdict, and nothing else of what has changed. */
    speak() {
      const verdict = this.bodyTarget.querySelector("[data-member-reset-verdict]");
      const said = verdict || this.bodyTarget.querySelector("[data-part='status']");
      this.spokenTarget.textContent = said ? said.textContent.replace(/\s+/g, " ").trim() : "";
    }

    /* Wagtail counts errors for a tab's badge when the page loads; a bounce comes later. */
    count() {
      const badge = document.querySelector("#tab-label-settings [data-controller~='w-count']");
      if (badge) this.application.getControllerForElementAndIdentifier(badge, "w-count")?.count();
    }

    historyTargetConnected() {
      this.awaitLook();
    }

    /* What happened is asked for when somebody looks at it, and not before. */
    awaitLook() {
      this.observer?.disconnect();
      this.observer = new IntersectionObserver((entries) => {
        if (!entries.some((entry) => entry.isIntersecting)) return;
        this.observer.disconnect();
        this.loadHistory();
      });
      this.observer.observe(this.historyTarget);
    }

    async loadHistory() {
      if (!this.hasHistoryTarget) return;
      const place = this.historyTarget;
      if (!place.getClientRects().length) {
        this.awaitLook();
        return;
      }
      try {
        const response = await fetch(this.historyUrlValue, { ...FETCH, headers: this.headers });
        if (!response.ok) return;
        const html = await response.text();
        const open = [...place.querySelectorAll("details")].map((details) => details.open);
        place.innerHTML = html;
        place.querySelectorAll("details").forEach((details, index) => {
          details.open = Boolean(open[index]);
        });
      } catch (error) {
        // The link to the page of its own still stands there.
      }
    }

    /* The address was stored without the Account tab: an old one left there would be saved over it. */
    addressTargetConnected(place) {
      const { address } = place.dataset;
      const input = this.addressInput;
      if (!input || input.value !== input.defaultValue || input.value === address) return;
      input.defaultValue = address;
      input.value = address;
      // What is stored is no unsaved edit: Wagtail compares the form with what it was.
      const unsaved = this.application.getControllerForElementAndIdentifier(input.form, "w-unsaved");
      if (unsaved && !unsaved.hasEditsValue) unsaved.initialFormData = unsaved.formData;
    }

    get addressInput() {
      return document.getElementById(this.fieldValue);
    }

    showAccount(event) {
      event.preventDefault();
      document.getElementById("tab-label-account")?.click();
      if (this.addressInput) this.focusOnceShown(this.addressInput);
    }

    /* Wagtail shows a tab a moment later, and what is not shown cannot take the focus. */
    focusOnceShown(place) {
      const shown = new ResizeObserver(() => {
        if (!place.getClientRects().length) return;
        shown.disconnect();
        place.focus();
      });
      shown.observe(place);
    }

    unsavedTargetConnected(note) {
      note.hidden = !this.isAddressUnsaved;
    }

    get isAddressUnsaved() {
      const email = this.addressInput;
      return Boolean(email) && email.value !== email.defaultValue;
    }

    /* Without https there is no clipboard API: select the text, and try the way of old. */
    copyFailed({ target }) {
      const text = target.querySelector("[data-w-clipboard-target='value']");
      const pressed = document.activeElement;
      text.hidden = false;
      text.focus();
      text.select();
      let copied = false;
      try {
        copied = document.execCommand("copy");
      } catch (error) {
        copied = false;
      }
      if (copied) pressed.focus();
      this.dispatch(copied ? "copied" : "uncopied", {
        target,
        detail: { clear: true, type: copied ? "success" : "error" },
      });
      const holdsLink = !target.closest("[data-member-reset-target~='details']");
      if (copied && holdsLink) this.noteCopied();
    }

    async noteCopied() {
      const body = this.encode({ reset: this.clipboardTarget.dataset.reset });
      try {
        await fetch(this.copiedUrlValue, { ...FETCH, method: "POST", body, headers: this.headers });
      } catch (error) {
        return;
      }
      this.loadHistory();
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
