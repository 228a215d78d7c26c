/*
 * The panel's own fields stand inside Wagtail's form, which does not take them along: what was typed into one, and
 * not sent, would be lost without a word. Saving is held back until it is sent or given up; leaving asks.
 */
(() => {
  class MemberResetTypedController extends window.StimulusModule.Controller {
    static values = { text: String };

    /* Before Wagtail's button says that it is saving. A click is also what Enter and a shortcut become. */
    hold(event) {
      const button = event.target.closest?.("button, input");
      if (button?.type !== "submit" || button.form !== this.element.closest("form") || !this.isTyped) return;
      event.preventDefault();
      event.stopImmediatePropagation();
      this.dispatch("held", { detail: { text: this.textValue } });
    }

    confirm(event) {
      if (this.isTyped) event.preventDefault();
    }

    /* What the server gave back as wrong was typed, too. */
    get isTyped() {
      const inputs = [...this.element.querySelectorAll("input[form]")];
      const isChanged = (input) => input.value !== input.defaultValue || input.checked !== input.defaultChecked;
      return inputs.some((input) => isChanged(input) || input.getAttribute("aria-invalid") === "true");
    }
  }

  window.wagtail.app.register("member-reset-typed", MemberResetTypedController);
})();
