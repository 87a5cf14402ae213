/* Where pictures come from: this device's camera, a clip or a picture. `onFrame(drawable, width, height, time)` is
 * called for every picture that is new; `onChange()` when playing, position or the source itself changed. */

export class Source {
    constructor(onFrame, onChange) {
        this.onFrame = onFrame;
        this.onChange = onChange;
        this.kind = null; // "camera", "clip", "picture"
        this.name = "";
        this.bitmap = null;
        this.stream = null;
        this.url = null;
        this.time = 0; // of the picture that is current, seconds
        this.serial = 0;
        this.held = false;    // nobody takes its pictures: the video stands
        this.resumes = false; // and goes on afterwards
        this.video = document.createElement("video");
        this.video.muted = true;
        this.video.playsInline = true;
        this.video.loop = true;
        for (const name of ["play", "pause", "seeked", "timeupdate", "durationchange"])
            this.video.addEventListener(name, () => this.onChange());
        for (const name of ["pause", "seeked"])
            this.video.addEventListener(name, () => this.repeat());
    }

    get width() {
        return this.bitmap ? this.bitmap.width : this.video.videoWidth;
    }

    get height() {
        return this.bitmap ? this.bitmap.height : this.video.videoHeight;
    }

    /* Nothing new comes by itself: a picture, or a clip that waits. */
    get still() {
        return this.kind === "picture" || (this.kind === "clip" && this.video.paused);
    }

    async openCamera() {
        if (!navigator.mediaDevices)
            throw new Error("This browser gives cameras to pages over HTTPS or of the machine itself only.");
        const stream = await navigator.mediaDevices.getUserMedia({
            audio: false,
            video: { width: { ideal: 1280 }, height: { ideal: 720 }, facingMode: { ideal: "environment" } },
        });
        this.close();
        const track = stream.getVideoTracks()[0];
        track.addEventListener("ended", () => this.onChange("The camera is gone."));
        this.stream = stream;
        this.video.srcObject = stream;
        await this.start("camera", track.label || "Camera");
    }

    async openFile(file) {
        if (file.type.startsWith("image/")) {
            const bitmap = await createImageBitmap(file).catch(() => {
                throw new Error(`${file.name} is no picture that this browser can read.`);
            });
            this.close();
            this.bitmap = bitmap;
            this.kind = "picture";
            this.name = file.name;
            this.onChange();
            this.repeat();
            return;
        }
        this.close();
        this.url = URL.createObjectURL(file);
        this.video.src = this.url;
        await this.start("clip", file.name);
    }

    async start(kind, name) {
        const serial = ++this.serial;
        try {
            await this.video.play();
        } catch (problem) {
            if (serial !== this.serial)
                return; // another was opened meanwhile
            this.close();
            throw new Error(kind === "camera" ? `The camera gives no picture: ${problem.message}`
                : `${name} is no clip that this browser can play. MP4 with H.264 and WebM can be played everywhere.`);
        }
        this.kind = kind;
        this.name = name;
        this.resumes = true;
        if (this.held)
            this.video.pause();
        this.onChange();
        this.follow(serial);
    }

    /* Every new picture of the video, at the moment it is there. */
    follow(serial) {
        const next = (time) => {
            if (serial !== this.serial)
                return;
            if (time !== this.time || this.kind === "camera") {
                this.time = time;
                this.repeat();
            }
            this.follow(serial);
        };
        if (this.video.requestVideoFrameCallback)
            this.video.requestVideoFrameCallback((now, picture) => next(picture.mediaTime));
        else
            requestAnimationFrame(() => next(this.video.currentTime));
    }

    /* The current picture again. */
    repeat() {
        if (this.bitmap)
            this.onFrame(this.bitmap, this.bitmap.width, this.bitmap.height, 0);
        else if (this.kind && this.video.readyState >= 2 && !this.video.seeking)
            this.onFrame(this.video, this.video.videoWidth, this.video.videoHeight, this.time);
    }

    hold(held) {
        if (held === this.held)
            return;
        this.held = held;
        if (this.kind !== "clip" && this.kind !== "camera")
            return;
        if (held) {
            this.resumes = !this.video.paused;
            this.video.pause();
        } else if (this.resumes) {
            this.video.play().catch(() => {});
        }
    }

    toggle() {
        if (this.kind === "clip" && !this.held)
            this.video.paused ? this.video.play().catch(() => {}) : this.video.pause();
    }

    seek(seconds) {
        if (this.kind === "clip" && !this.held && isFinite(this.video.duration))
            this.video.currentTime = Math.max(0, Math.min(seconds, this.video.duration));
    }

    close() {
        this.serial++;
        this.kind = null;
        this.name = "";
        if (this.stream)
            for (const track of this.stream.getTracks())
                track.stop();
        this.stream = null;
        this.video.pause();
        this.video.srcObject = null;
        this.video.removeAttribute("src");
        this.video.load();
        if (this.url)
            URL.revokeObjectURL(this.url);
        this.url = null;
        if (this.bitmap)
            this.bitmap.close();
        this.bitmap = null;
        this.time = -1;
        this.onChange();
    }
}
