/* The settings of a session as controls. A moved control is sent at once; what the service answers is what the
 * controls show. */

import { fillRange } from "./layout.js";

const MODE_HINTS = {
    fast: "Half the network's size; then the rate gives way",
    balanced: "The network's own size; it gives way first, then the rate",
    accurate: "Always the network's own size; only the rate gives way",
};

export class Tune {
    constructor(form, onChange) {
        this.form = form;
        this.onChange = onChange;
        this.config = null;
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
        if (control.type === "number" && (!done || !control.checkValidity())) {
            if (done)
                control.reportValidity();
            return; // half a number
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
            control.disabled = value === undefined;
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
