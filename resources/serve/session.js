/* The connection to the service: makes a session, keeps its WebSocket, and takes the session up again after a
 * drop. Tells of itself by events: `state` {state, words, seconds}, `config`, `answer`, `refusal`. */

const WAITS_S = [0.5, 1, 2, 4, 8, 15];
const PING_MS = 10000;
const CLOSE_REPLACED = 4001;
const TOKEN = "vedette-token";

/* An answer of the service that is no success, with its own sentence. */
export class Refusal extends Error {
    constructor(status, body, retryAfter) {
        super((body && body.error) || `The server answered ${status}.`);
        this.status = status;
        this.retryAfter = Number(retryAfter) || 0;
    }
}

export class Session extends EventTarget {
    constructor() {
        super();
        this.id = null;
        this.config = null; // what the service said last
        this.limits = null; // {max_fps, …}, of the service
        this.token = sessionStorage.getItem(TOKEN) || "";
        this.socket = null;
        this.ready = false;
        this.failures = 0;
        this.timer = 0;
        this.heard = 0;
        setInterval(() => this.ping(), PING_MS);
    }

    tell(name, detail) {
        this.dispatchEvent(new CustomEvent(name, { detail }));
    }

    /* One request; gives the JSON of the answer, throws a Refusal, or TypeError where nobody answers. */
    async ask(method, path, body) {
        const headers = this.token ? { Authorization: `Bearer ${this.token}` } : {};
        if (body !== undefined)
            headers["Content-Type"] = "application/json";
        const reply = await fetch(path, {
            method, headers, cache: "no-store", body: body === undefined ? undefined : JSON.stringify(body),
        });
        const json = await reply.json().catch(() => null);
        if (!reply.ok)
            throw new Refusal(reply.status, json, reply.headers.get("Retry-After"));
        return json;
    }

    useToken(token) {
        this.token = token;
        this.connect();
    }

    /* Also what "Try now" does. */
    async connect() {
        clearTimeout(this.timer);
        this.tell("state", { state: "connecting", words: "Connecting…" });
        try {
            await this.find();
            if (this.token)
                sessionStorage.setItem(TOKEN, this.token);
            this.open();
        } catch (problem) {
            this.failed(problem);
        }
    }

    /* The session that was there, or a new one with the settings of the old. */
    async find() {
        if (this.id) {
            try {
                await this.ask("GET", `stream/sessions/${this.id}`);
                return;
            } catch (problem) {
                if (problem.status !== 404)
                    throw problem;
                this.id = null;
            }
        }
        const made = await this.ask("POST", "stream/sessions", this.config || {});
        this.id = made.client_id;
        this.limits = made.limits;
    }

    failed(problem) {
        if (problem.status === 401) {
            sessionStorage.removeItem(TOKEN);
            this.tell("state", { state: "token", words: this.token ? "The server does not know this token." : "" });
        } else if (problem.status === 422 && this.config) {
            this.config = null; // the server's limits are others by now
            this.later("The server does not take these settings any more; its own are used.");
        } else if (problem instanceof Refusal) {
            this.later(problem.message, problem.retryAfter);
        } else {
            this.later("The server cannot be reached.");
        }
    }

    later(words, least = 0) {
        const wait = WAITS_S[Math.min(this.failures, WAITS_S.length - 1)] * (0.8 + 0.4 * Math.random());
        const seconds = Math.max(least, wait);
        this.failures++;
        this.timer = setTimeout(() => this.connect(), seconds * 1000);
        this.tell("state", { state: "lost", words, seconds });
    }

    open() {
        const url = new URL(`stream/detection?client_id=${this.id}`, location.href);
        url.protocol = url.protocol.replace("http", "ws");
        const socket = new WebSocket(url);
        let words = "";
        this.socket = socket;
        socket.onopen = () => {
            this.heard = performance.now();
            if (this.token)
                this.send({ type: "auth", token: this.token });
        };
        socket.onmessage = (event) => {
            this.heard = performance.now();
            const message = JSON.parse(event.data);
            if (message.type === "error" && message.frame_id == null)
                words = message.error;
            this.take(message);
        };
        socket.onclose = ({ code, reason }) => {
            if (this.socket !== socket)
                return;
            this.socket = null;
            this.ready = false;
            if (code === CLOSE_REPLACED)
                this.id = null; // it is another's now
            this.later(words || reason || "The connection is lost.");
        };
    }

    take(message) {
        if (message.type === "config") {
            this.id = message.client_id || this.id;
            this.config = message.config;
            this.tell("config", message.config);
            if (!this.ready) {
                this.ready = true;
                this.failures = 0;
                this.tell("state", { state: "ready", words: "" });
            }
        } else if (message.type === "error" && message.frame_id == null) {
            this.tell("refusal", message);
        } else if (message.type !== "ping") {
            this.tell("answer", message);
        }
    }

    send(message) {
        if (this.socket && this.socket.readyState === WebSocket.OPEN)
            this.socket.send(typeof message === "string" ? message : JSON.stringify(message));
    }

    /* A picture, encoded; false when there is nobody to take it. */
    sendFrame(id, blob) {
        if (!this.ready || this.socket.readyState !== WebSocket.OPEN)
            return false;
        this.send({ type: "next", frame_id: id });
        this.socket.send(blob);
        return true;
    }

    change(changes) {
        if (this.ready)
            this.send({ type: "config", config: changes });
    }

    /* A connection that has gone without a word is found out by its silence. */
    ping() {
        if (!this.ready)
            return;
        if (performance.now() - this.heard > 2.5 * PING_MS)
            this.socket.close();
        else
            this.send({ type: "ping", timestamp: Date.now() / 1000 });
    }

    /* The page goes: its session need not wait for its time-out. */
    leave() {
        if (!this.id)
            return;
        const headers = this.token ? { Authorization: `Bearer ${this.token}` } : {};
        fetch(`stream/sessions/${this.id}`, { method: "DELETE", headers, keepalive: true }).catch(() => {});
        this.id = null;
    }
}
