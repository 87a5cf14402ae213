/* The cameras that this server watches: a list, and of the chosen one what is seen now and what happened. */

import { labelOf } from "./picture.js";

const NONE = "This server watches no camera. Add cameras to its vedette.conf, or open one in Vedette's window " +
    "while it streams.";
const ROWS = 100, REFRESH_MS = 5000, RETRY_MS = 3000;

const element = (id) => document.getElementById(id);

function clock(milliseconds) {
    return new Date(milliseconds || Date.now()).toLocaleTimeString([], { hour12: false });
}

/* `12:03:11` and what happened, in one row. */
function makeRow(milliseconds) {
    const row = document.createElement("li"), time = document.createElement("time");
    row.dataset.moment = milliseconds || Date.now();
    time.textContent = clock(milliseconds);
    row.append(time, document.createElement("span"));
    return row;
}

function eventWords(event) {
    const parts = [labelOf(event)];
    if (event.verdict_words)
        parts.push(event.verdict_words + (event.score > 0 ? ` ${event.score.toFixed(2)}` : ""));
    else if (event.verdict !== "none")
        parts.push(event.verdict);
    if (event.judgement !== "none")
        parts.push(event.judgement);
    return parts.join(" · ");
}

export class Cameras {
    constructor(session) {
        this.session = session;
        this.shown = false;
        this.chosen = null;
        this.socket = null;
        setInterval(() => this.shown && this.refresh(), REFRESH_MS);
    }

    setShown(shown) {
        this.shown = shown;
        if (shown)
            this.refresh();
    }

    /* Without a connection the list is old, and none of it can be chosen. */
    enable(enabled) {
        for (const button of element("cameras").querySelectorAll("button"))
            button.disabled = !enabled;
        if (enabled)
            this.refresh();
    }

    async refresh() {
        if (!this.session.ready)
            return;
        try {
            this.list((await this.session.ask("GET", "stream/cameras")).cameras);
        } catch (problem) {
            element("cameras-none").textContent = problem.message;
        }
    }

    list(cameras) {
        const list = element("cameras");
        element("cameras-none").hidden = cameras.length > 0;
        element("cameras-none").textContent = NONE;
        for (const gone of [...list.children].filter((one) => !cameras.some((other) => other.name === one.dataset.name)))
            gone.remove();
        for (const camera of cameras) {
            let item = [...list.children].find((one) => one.dataset.name === camera.name);
            if (!item)
                list.append(item = this.item(camera.name));
            item.querySelector(".state").textContent = camera.state;
        }
    }

    item(name) {
        const item = document.createElement("li"), button = document.createElement("button");
        const title = document.createElement("span"), state = document.createElement("span");
        item.dataset.name = name;
        title.className = "name";
        title.textContent = name;
        state.className = "state";
        button.type = "button";
        button.setAttribute("aria-pressed", "false");
        button.append(title, state);
        button.addEventListener("click", () => this.choose(this.chosen === name ? null : name));
        item.append(button);
        return item;
    }

    choose(name) {
        this.chosen = name;
        for (const item of element("cameras").children)
            item.firstChild.setAttribute("aria-pressed", String(item.dataset.name === name));
        element("feed-box").hidden = !name;
        element("feed-title").textContent = name || "";
        element("feed-now").textContent = "Waiting for its first picture…";
        element("feed").replaceChildren();
        if (this.socket)
            this.socket.close();
        this.socket = null;
        if (name)
            this.open(name);
    }

    open(name) {
        const url = new URL(`stream/cameras/${encodeURIComponent(name)}`, location.href);
        url.protocol = url.protocol.replace("http", "ws");
        const socket = this.socket = new WebSocket(url);
        socket.onopen = () => {
            if (this.session.token)
                socket.send(JSON.stringify({ type: "auth", token: this.session.token }));
        };
        socket.onmessage = (event) => this.take(JSON.parse(event.data));
        socket.onclose = () => {
            if (this.socket !== socket)
                return;
            element("feed-now").textContent = "The connection to this camera is lost; it is tried again.";
            setTimeout(() => this.socket === socket && this.open(name), RETRY_MS);
        };
    }

    take({ type, unix_ms: moment, data, error }) {
        if (type === "detections")
            this.seen(data);
        else if (type === "event")
            this.change(data);
        else if (type === "state")
            this.add(moment, data.reason ? `${data.state}: ${data.reason}` : data.state);
        else if (type === "error")
            this.add(0, error);
    }

    seen(data) {
        const boxes = data.detections.map(labelOf).join(", ");
        element("feed-now").textContent = `Picture ${data.frame}: ${boxes || "nothing found"}`;
        element("feed-now").dataset.frame = data.frame;
    }

    /* One row an event, which changes with it. */
    change(event) {
        const feed = element("feed"), id = String(event.id);
        let row = [...feed.children].find((one) => one.dataset.event === id);
        if (!row) {
            row = makeRow(event.opened_unix_ms);
            row.dataset.event = id;
            this.place(row);
        }
        row.classList.toggle("over", event.closed);
        row.lastChild.textContent = eventWords(event);
    }

    add(milliseconds, words) {
        const row = makeRow(milliseconds);
        row.lastChild.textContent = words;
        this.place(row);
    }

    /* The newest on top; events that were open already come in no order. */
    place(row) {
        const feed = element("feed"), moment = Number(row.dataset.moment);
        const older = [...feed.children].find((one) => Number(one.dataset.moment) <= moment);
        feed.insertBefore(row, older || null);
        while (feed.children.length > ROWS)
            feed.lastChild.remove();
    }
}
