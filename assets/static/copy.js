// Buttons that copy what stands in the element `data-of` names. An element of its own finds its place in a
// page however the page came. Without this script there is no button, and one click selects a command.

import { text } from "./texts.js";

class CopyText extends HTMLElement {
  connectedCallback() {
    const button = this.querySelector("button");
    button.addEventListener("click", () => this.copy());
  }

  async copy() {
    const source = document.getElementById(this.dataset.of);
    let done = false;
    try {
      await navigator.clipboard.writeText(source.textContent.trim());
      done = true;
    } catch {
      // Without the permission, the person copies by hand what is selected for them.
      getSelection().selectAllChildren(source);
    }
    this.querySelector("[role=status]").textContent = done ? text("copy.copied") : text("copy.selected");
  }
}

if (!customElements.get("copy-text")) customElements.define("copy-text", CopyText);
