/* The settings of a session as controls. A moved control is sent at once; what the service answers is what the
 * controls show. */

import { fillRange } from "./layout.js";

const MODE_HINTS = {
    fast: "Half the detail; under load the pictures a second are lowered",
    balanced: "Full detail; under load it is lowered first, then the pictures a second",
    accurate: "Always full detail; under load only the pictures a second are lowered",
};

export class Tune {
    constructor(form, onChange) {
        this.form = form;
        this.onChange = onChange;
        this.config = null;
        this.enabled = false;
        this.focused = null; // the control that had the focus when all were disabled
        this.touched = 0; // when a control was last moved: an older answer must not move it back
        form.addEventListener("submit", (event) => event.preventDefault());
        form.addEventListener("input", (event) => this.moved(event.target, false));
        form.addEventListener("change", (event) => this.moved(event.target, true));
    }

    static read(control) {
        if (control.type === "checkbox")
            return control.checked;
        return control.type === "radio" ? control.value : Number(control.value);
    }

    fields() {
        return [...this.form.elements].filter((one) => one.name && one.name !== "sync");
    }

    moved(control, done) {
        if (!this.config || !this.fields().includes(control))
            return;
        if (control.type === "number") {
            if (!done)
                return; // half a number
            const value = control.value === "" ? this.config[control.name] : Number(control.value);
            control.value = Math.max(Number(control.min), Math.min(Math.round(value), Number(control.max)));
        }
        const value = Tune.read(control);
        if (this.config[control.name] === value)
            return;
        this.config = { ...this.config, [control.name]: value };
        this.touched = performance.now();
        this.label();
        this.onChange({ [control.name]: value });
    }

    /* What the service holds. While a slider moves, answers to where it was lag behind it. */
    show(config, force) {
        if (!force && this.config && performance.now() - this.touched < 400)
            return;
        this.config = { ...config };
        for (const control of this.fields()) {
            const value = config[control.name];
            control.disabled = !this.enabled || value === undefined;
            if (control.type === "radio")
                control.checked = control.value === value;
            else if (control.type === "checkbox")
                control.checked = value;
            else if (value !== undefined)
                control.value = value;
            if (control.type === "range")
                fillRange(control);
        }
        this.label();
    }

    /* Without a connection nothing here can act. */
    enable(enabled) {
        if (enabled === this.enabled)
            return;
        this.enabled = enabled;
        if (!enabled && this.form.contains(document.activeElement))
            this.focused = document.activeElement;
        for (const control of this.form.querySelectorAll("input, select"))
            control.disabled = !enabled || Boolean(control.name && this.config && control.name !== "sync" &&
                this.config[control.name] === undefined);
        if (enabled && this.focused && document.activeElement === document.body)
            this.focused.focus();
        if (enabled)
            this.focused = null;
    }

    /* What the service allows at most. */
    limit({ max_fps: most }) {
        const control = this.form.elements.rate;
        control.max = most;
        fillRange(control);
    }

    /* A number moved by a key. */
    step(name, by) {
        const control = this.form.elements[name];
        if (control.disabled)
            return;
        control.value = Number(control.value) + by;
        fillRange(control);
        this.moved(control, true);
    }

    label() {
        const value = (id) => Number(this.form.elements[id].value);
        document.getElementById("confidence-value").textContent = value("confidence").toFixed(2);
        document.getElementById("overlap-value").textContent = value("overlap").toFixed(2);
        document.getElementById("rate-value").textContent = value("rate");
        document.getElementById("mode-hint").textContent = MODE_HINTS[this.config.quality_mode] || "";
    }
}
