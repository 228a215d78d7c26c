/*
 * In the form of an email text: puts a placeholder where the cursor is, and fills in the default text, which can be
 * typed as well; and has a test sent.
 */
(() => {
  class MemberResetTextController extends window.StimulusModule.Controller {
    static values = { field: String, words: Object };

    insert({ params }) {
      const field = document.getElementById(this.fieldValue);
      field.focus();
      field.setRangeText(params.text, field.selectionStart, field.selectionEnd, "end");
      this.tell(field);
    }

    fill() {
      Object.entries(this.wordsValue).forEach(([name, text]) => {
        const field = document.getElementById(`id_${name}`);
        if (!field) return;
        field.value = text;
        this.tell(field);
      });
      document.getElementById("id_subject").focus();
    }

    /* As Wagtail's own button saves the draft, so that nothing typed is lost, with the wish for a test of it. */
    test({ params }) {
      const { form } = this.element;
      const wish = Object.assign(document.createElement("input"), { type: "hidden", name: params.wanted, value: "1" });
      form.append(wish);
      form.requestSubmit();
      wish.remove();
    }

    /* Wagtail's own controllers listen: for the height, for unsaved changes and for the preview. */
    tell(field) {
      ["input", "change"].forEach((name) => field.dispatchEvent(new Event(name, { bubbles: true })));
    }
  }

  window.wagtail.app.register("member-reset-text", MemberResetTextController);
})();
