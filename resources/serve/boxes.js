/* The boxes of the picture on screen as a list, and in words: for those who do not see the picture. */

import { classColor, labelOf } from "./picture.js";

const SPEAK_MS = 4000;

const element = (id) => document.getElementById(id);
let spoken = ["", 0];

/* `frame` is what was sent, `data` the service's answer, `name` the source's. */
export function listBoxes(frame, data, name) {
    const list = element("boxes"), count = data.detections.length;
    Object.assign(list.dataset, { frame: data.frame_id, time: frame.time, width: data.width, height: data.height });
    while (list.children.length > count)
        list.lastChild.remove();
    data.detections.forEach((found, i) => fill(list.children[i] || list.appendChild(item()), found));
    element("boxes-title").textContent = count === 0 ? "No boxes" : count === 1 ? "1 box" : `${count} boxes`;
    element("stage").setAttribute("aria-label", `${name}, ${data.width} × ${data.height}: ` +
        (data.detections.map(labelOf).join(", ") || "nothing found"));
    speak(data.detections);
}

export function clearBoxes() {
    element("boxes").replaceChildren();
    element("boxes-title").textContent = "No boxes";
    element("stage").setAttribute("aria-label", "No picture yet");
}

function item() {
    const item = document.createElement("li");
    item.innerHTML = '<svg aria-hidden="true" viewBox="0 0 12 12"><rect width="12" height="12" rx="2"/></svg>' +
        '<span class="name"></span><span class="score"></span><span class="track"></span>';
    return item;
}

function fill(item, found) {
    item.firstChild.setAttribute("fill", classColor(found.class_id));
    item.children[1].textContent = found.class_name;
    item.children[2].textContent = found.confidence.toFixed(2);
    item.children[3].textContent = found.track_id > 0 ? `#${found.track_id}` : "";
    Object.assign(item.dataset, { bbox: found.bbox.join(","), name: found.class_name, confidence: found.confidence });
}

/* What is seen, said when it changes and not too often. */
function speak(detections) {
    const counts = new Map(), now = performance.now();
    for (const { class_name: name } of detections)
        counts.set(name, (counts.get(name) || 0) + 1);
    const words = [...counts].map(([name, count]) => `${count} ${name}`).join(", ") || "nothing found";
    if (words === spoken[0] || now - spoken[1] < SPEAK_MS)
        return;
    spoken = [words, now];
    element("spoken").textContent = words;
}
