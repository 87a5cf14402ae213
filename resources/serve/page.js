/* Puts the parts together: pictures of the source go to the session, its answers come back as boxes over the very
 * picture they belong to. */

import { clearBoxes, listBoxes } from "./boxes.js";
import { Cameras } from "./cameras.js";
import { Figures } from "./figures.js";
import { fillRange, makeRanges, makeTabs } from "./layout.js";
import { Picture } from "./picture.js";
import { Session } from "./session.js";
import { Source } from "./source.js";
import { Tune } from "./tune.js";

const IN_FLIGHT = 2, LOST_MS = 10000, JPEG = 0.85;
const SYNC_HINTS = {
    exact: "Each picture is shown when its own boxes are there",
    live: "The newest picture, with the newest boxes there are",
};
const PLAY = "M4 2l10 6-10 6z", PAUSE = "M3 2h4v12H3zM9 2h4v12H9z";

const element = (id) => document.getElementById(id);
const session = new Session();
const figures = new Figures();
const picture = new Picture(element("canvas"));
const tune = new Tune(element("panel-tune"), (changes) => {
    session.change(changes);
    again();
});
const cameras = new Cameras(session);
const source = new Source(onFrame, onSource);
const pending = new Map(); // frame_id -> {canvas, time, sent}, until its answer
const spare = [];          // canvases for the next ones
let shown = null;          // the one that is on screen (exact)
let nextId = 1, due = 0, encoding = false, wanted = false, exact = true, retry = 0;

/* --- Pictures out */

function onFrame(drawable, width, height, time) {
    if (!exact || !figures.last) {
        picture.setPicture(drawable, width, height);
        picture.paint();
    }
    if (!session.ready)
        return;
    const now = performance.now();
    if (!source.still && now < due - 8)
        return;
    if (encoding || pending.size >= IN_FLIGHT) {
        wanted = source.still; // this very one is asked for once there is room
        if (!source.still && !encoding)
            figures.note("held");
        return;
    }
    wanted = false;
    due = Math.max(due + 1000 / rate(), now);
    send(drawable, width, height, time);
}

/* Pictures a second: what was asked for, or less where the service says that it gives less now. */
function rate() {
    const asked = session.config ? session.config.fps_limit : 10;
    const given = figures.last && figures.last.quality ? figures.last.quality.fps : asked;
    return Math.max(0.5, Math.min(asked, given || asked));
}

function send(drawable, width, height, time) {
    const most = Number(element("side").value) || width;
    const scale = Math.min(1, most / width);
    const canvas = spare.pop() || document.createElement("canvas");
    canvas.width = Math.max(1, Math.round(width * scale));
    canvas.height = Math.max(1, Math.round(height * scale));
    canvas.getContext("2d").drawImage(drawable, 0, 0, canvas.width, canvas.height);
    const serial = source.serial;
    encoding = true;
    canvas.toBlob((blob) => {
        encoding = false;
        const id = nextId++;
        if (blob && serial === source.serial && session.sendFrame(id, blob)) {
            pending.set(id, { canvas, time, sent: performance.now() });
            figures.note("sent");
        } else {
            spare.push(canvas);
        }
    }, "image/jpeg", JPEG);
}

/* The same picture once more, when something changed that its answer depends on. */
function again() {
    if (source.still)
        source.repeat();
}

/* --- Answers in */

session.addEventListener("answer", ({ detail }) => {
    const data = detail.data || detail, frame = pending.get(data.frame_id);
    if (frame)
        pending.delete(data.frame_id);
    if (detail.type === "detection_result") {
        figures.note("answered");
        if (frame)
            show(frame, data);
    } else if (frame) {
        if (detail.type === "skipped")
            figures.note("skipped", detail.reason);
        else
            figures.note("failed");
        spare.push(frame.canvas);
        if (detail.type === "error")
            notice(detail.error);
        clearTimeout(retry);
        if (detail.type === "skipped" && source.still)
            retry = setTimeout(again, 1000 / rate()); // no later picture would make up for it
    }
    if (wanted)
        again();
});

function show(frame, data) {
    figures.noteLatency(performance.now() - frame.sent);
    figures.last = data;
    picture.setBoxes(data.detections, data.width, data.height);
    if (exact)
        picture.setPicture(frame.canvas, frame.canvas.width, frame.canvas.height);
    if (exact || source.still)
        picture.paint();
    if (shown && spare.length < IN_FLIGHT + 2)
        spare.push(shown);
    shown = frame.canvas;
    listBoxes(frame, data, source.name);
    element("stage").classList.remove("stale");
}

/* --- The connection */

let countdown = 0, noticed = 0;

function notice(words, { button = false, stays = false, wait = "" } = {}) {
    if (element("notice-text").textContent !== words)
        element("notice-text").textContent = words;
    element("notice-wait").textContent = wait; // it changes every second: not to be read out
    element("notice-button").hidden = !button;
    element("notice").hidden = !words;
    clearTimeout(noticed);
    if (words && !stays)
        noticed = setTimeout(() => notice(""), 6000);
}

session.addEventListener("state", ({ detail: { state, words, seconds } }) => {
    clearInterval(countdown);
    document.body.dataset.state = state;
    element("subtitle").textContent = { connecting: "Connecting…", token: "A token is needed", lost: "Not connected",
        ready: location.host }[state];
    const ready = state === "ready";
    if (!ready)
        element("stage").classList.toggle("stale", Boolean(source.kind));
    tune.enable(ready);
    cameras.enable(ready);
    source.hold(!ready);
    onSource();
    if (ready) {
        notice("");
        dropPending();
        again();
    } else if (state === "token") {
        notice("");
        element("token-error").textContent = words;
        if (!element("token-dialog").open)
            element("token-dialog").showModal();
        element("token").select();
    } else if (state === "lost") {
        const until = performance.now() + seconds * 1000;
        const left = () => Math.max(0, Math.ceil((until - performance.now()) / 1000));
        const told = source.kind ? `${words} Sending is paused.` : words;
        const tell = () => notice(told, { button: true, stays: true, wait: `Next try in ${left()} s.` });
        tell();
        countdown = setInterval(tell, 1000);
    }
});

session.addEventListener("config", ({ detail }) => {
    if (session.limits)
        tune.limit(session.limits);
    tune.show(detail, false);
});
session.addEventListener("refusal", ({ detail }) => {
    const range = detail.range ? ` Allowed: ${detail.range}.` : "";
    notice(detail.error + (detail.error.includes(detail.range) ? "" : range));
    if (session.config)
        tune.show(session.config, true);
});

element("notice-button").addEventListener("click", () => session.connect());
element("token-form").addEventListener("submit", () => session.useToken(element("token").value.trim()));
element("token-dialog").addEventListener("cancel", (event) => event.preventDefault());
window.addEventListener("pagehide", () => session.leave());
window.addEventListener("pageshow", (event) => event.persisted && session.connect());

function dropPending() {
    for (const frame of pending.values())
        spare.push(frame.canvas);
    pending.clear();
}

/* --- The source */

async function openWith(opening) {
    notice("");
    dropPending();
    figures.last = null;
    picture.setBoxes([], 1, 1);
    try {
        await opening;
    } catch (problem) {
        notice(problem.name === "NotAllowedError" ? "The browser was not allowed to use the camera."
            : problem.name === "NotFoundError" ? "There is no camera on this device." : problem.message);
    }
}

function onSource(words) {
    const { kind, video } = source, length = isFinite(video.duration) ? video.duration : 0;
    document.querySelector(".bar").classList.toggle("running", Boolean(kind));
    element("empty").hidden = Boolean(kind);
    element("stop").disabled = !kind;
    element("title").textContent = kind ? source.name : "Vedette";
    element("tag").textContent = [source.name, kind, kind === "picture" ? `${source.width} × ${source.height}`
        : exact ? "exact" : "live"].join(" · ");
    element("tag").hidden = !kind;
    if (kind && source.height)
        element("stage").style.setProperty("--aspect", source.width / source.height);
    element("transport").hidden = kind !== "clip";
    element("play-shape").setAttribute("d", video.paused ? PLAY : PAUSE);
    element("play").disabled = element("seek").disabled = source.held;
    element("play").setAttribute("aria-label", video.paused ? "Play" : "Pause");
    element("seek").max = length;
    element("seek").value = video.currentTime;
    fillRange(element("seek"));
    element("seek").setAttribute("aria-valuetext", time(video.currentTime));
    element("clock").textContent = `${time(video.currentTime)} / ${time(length)}`;
    if (!kind) {
        element("stage").classList.remove("stale");
        picture.clear();
        clearBoxes();
    }
    if (words)
        notice(words);
}

function time(seconds) {
    const whole = Math.round(seconds);
    return `${String(Math.floor(whole / 60)).padStart(2, "0")}:${String(whole % 60).padStart(2, "0")}`;
}

for (const id of ["camera", "empty-camera"])
    element(id).addEventListener("click", () => openWith(source.openCamera()));
for (const id of ["open", "empty-open"])
    element(id).addEventListener("click", () => element("file").click());
element("file").addEventListener("change", () => {
    const [file] = element("file").files;
    if (file)
        openWith(source.openFile(file));
    element("file").value = "";
});
element("stop").addEventListener("click", () => {
    dropPending();
    figures.last = null;
    source.close();
});
element("play").addEventListener("click", () => source.toggle());
element("seek").addEventListener("input", () => source.seek(Number(element("seek").value)));

/* --- The rest of the page */

for (const name of ["dragenter", "dragover", "dragleave", "drop"])
    element("stage").addEventListener(name, (event) => {
        event.preventDefault();
        element("stage").classList.toggle("drop", name === "dragenter" || name === "dragover");
        if (name === "drop" && event.dataTransfer.files.length)
            openWith(source.openFile(event.dataTransfer.files[0]));
    });

element("stage").addEventListener("keydown", (event) => {
    const keys = {
        " ": () => source.toggle(),
        ArrowUp: () => tune.step("confidence_threshold", 0.01),
        ArrowDown: () => tune.step("confidence_threshold", -0.01),
        "[": () => tune.step("iou_threshold", -0.01),
        "]": () => tune.step("iou_threshold", 0.01),
        ArrowLeft: () => source.seek(source.video.currentTime - 1),
        ArrowRight: () => source.seek(source.video.currentTime + 1),
    };
    if (event.target !== element("stage") || !keys[event.key] || event.ctrlKey || event.altKey || event.metaKey)
        return;
    event.preventDefault();
    keys[event.key]();
});

for (const control of document.querySelectorAll('input[name="sync"]'))
    control.addEventListener("change", () => {
        exact = control.value === "exact";
        element("sync-hint").textContent = SYNC_HINTS[control.value];
        onSource();
        again();
    });
element("side").addEventListener("change", again);

/* Text that changes at its own pace, so that figures do not flicker. */
setInterval(() => {
    element("rates").textContent = figures.rates();
    element("latency").textContent = figures.latency();
    element("quality").textContent = figures.quality();
    element("quality").classList.toggle("lowered", Boolean(figures.last && figures.last.quality &&
        figures.last.quality.level));
    element("table").replaceChildren(...figures.rows().flatMap(([words, value, part]) => {
        const term = document.createElement("dt"), text = document.createElement("dd");
        term.textContent = words;
        term.classList.toggle("part", Boolean(part));
        text.textContent = value;
        return [term, text];
    }));
    for (const [id, frame] of pending)
        if (performance.now() - frame.sent > LOST_MS) {
            pending.delete(id);
            spare.push(frame.canvas);
        }
}, 500);

makeTabs((id) => cameras.setShown(id === "tab-cameras"));
makeRanges();
element("host").textContent = location.host;
session.connect();
