/* The panel's tabs, and sliders whose track is filled up to the value. */

const element = (id) => document.getElementById(id);

/* `onChoose` gets the id of the tab that is shown from now on. */
export function makeTabs(onChoose) {
    const tabs = [...document.querySelectorAll('[role="tab"]')];
    const choose = (tab) => {
        for (const one of tabs) {
            one.setAttribute("aria-selected", String(one === tab));
            one.tabIndex = one === tab ? 0 : -1;
            element(one.getAttribute("aria-controls")).hidden = one !== tab;
        }
        onChoose(tab.id);
    };
    tabs.forEach((tab, i) => {
        tab.addEventListener("click", () => choose(tab));
        tab.addEventListener("keydown", (event) => {
            const by = { ArrowLeft: tabs.length - 1, ArrowRight: 1 }[event.key];
            if (!by)
                return;
            choose(tabs[(i + by) % tabs.length]);
            tabs[(i + by) % tabs.length].focus();
        });
    });
}

/* To be called whenever a slider's value was set; moving it by hand does so by itself. */
export function fillRange(range) {
    const share = (Number(range.value) - Number(range.min)) / (Number(range.max) - Number(range.min) || 1);
    range.style.setProperty("--share", share);
}

export function makeRanges() {
    for (const range of document.querySelectorAll('input[type="range"]')) {
        range.addEventListener("input", () => fillRange(range));
        fillRange(range);
    }
}
