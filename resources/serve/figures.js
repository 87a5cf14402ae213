/* Rates over two seconds, latencies of the last answers, and sums since the page was opened. */

const SPAN_MS = 2000, LATENCIES = 200;
export const CAUSES = {
    fps_limit: "sooner than the limit allows",
    queue_full: "too many waited",
    superseded: "a newer one went first, under load",
    deadline: "waited too long",
};

export class Figures {
    constructor() {
        this.times = { sent: [], answered: [], skipped: [] };
        this.sums = { sent: 0, answered: 0, failed: 0, held: 0, fps_limit: 0, queue_full: 0, superseded: 0, deadline: 0 };
        this.latencies = [];
        this.last = null; // data of the newest result
    }

    note(kind, sum = kind) {
        if (this.times[kind])
            this.times[kind].push(performance.now());
        this.sums[sum]++;
    }

    noteLatency(milliseconds) {
        this.latencies.push(milliseconds);
        if (this.latencies.length > LATENCIES)
            this.latencies.shift();
    }

    rate(kind) {
        const times = this.times[kind], since = performance.now() - SPAN_MS;
        while (times.length && times[0] < since)
            times.shift();
        return times.length / (SPAN_MS / 1000);
    }

    percentile(share) {
        const sorted = [...this.latencies].sort((a, b) => a - b);
        return sorted[Math.min(sorted.length - 1, Math.floor(share * sorted.length))];
    }

    get skipped() {
        return Object.keys(CAUSES).reduce((sum, cause) => sum + this.sums[cause], 0);
    }

    rates() {
        return `Sent ${this.rate("sent").toFixed(1)} · Answered ${this.rate("answered").toFixed(1)} fps · ` +
            `Skipped ${this.rate("skipped").toFixed(1)}`;
    }

    latency() {
        if (!this.latencies.length)
            return "No answer yet";
        return `Answer after ${Math.round(this.percentile(0.5))} ms (95 %: ${Math.round(this.percentile(0.95))})`;
    }

    quality() {
        if (!this.last)
            return "";
        const { quality, input } = this.last, size = input ? ` · ${input[0]} × ${input[1]}` : "";
        return quality.level ? `Quality lowered ${quality.level} of 4${size}` : `Full quality${size}`;
    }

    /* Rows of the table: [text, value, is it a part of the row above]. */
    rows() {
        const rows = [["Sent", this.sums.sent], ["Answered", this.sums.answered], ["Skipped", this.skipped]];
        for (const [cause, words] of Object.entries(CAUSES))
            if (this.sums[cause])
                rows.push([words, this.sums[cause], true]);
        rows.push(["Refused", this.sums.failed], ["Held back by this page", this.sums.held]);
        if (this.latencies.length) {
            rows.push(["Answer after, median", `${Math.round(this.percentile(0.5))} ms`]);
            rows.push(["95 % under", `${Math.round(this.percentile(0.95))} ms`, true]);
        }
        const last = this.last;
        if (last) {
            const timing = last.timing_ms || {};
            rows.push(["In the server, newest picture", `${last.processing_time_ms.toFixed(1)} ms`]);
            for (const [name, words] of [["queue", "waiting"], ["decode", "decoding"], ["forward", "network"]])
                if (timing[name] !== undefined)
                    rows.push([words, `${timing[name].toFixed(1)} ms`, true]);
            rows.push(["Model", last.model]);
            if (last.input)
                rows.push(["Input of the network", `${last.input[0]} × ${last.input[1]}`]);
            rows.push(["Picture sent", `${last.width} × ${last.height}`]);
            rows.push(["Quality", last.quality.level ? `lowered by ${last.quality.level} of 4` : "full"],
                ["Pictures a second at most", last.quality.fps]);
        }
        return rows;
    }
}
