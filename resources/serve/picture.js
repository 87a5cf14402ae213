/* Paints a picture with its boxes, as the window does: letterboxed, boxes 2 px with a dark halo, labels that keep
 * out of each other's way. */

/* Of the window: the order keeps each apart from the next two, with the three colour-vision deficiencies as well. */
const PALETTE = [
    "#56b4e9", "#e69f00", "#009e73", "#f0e442", "#d55e00", "#cc79a7", "#0072b2", "#e8e8e8",
    "#9fd8ff", "#2f66a8", "#8c4a78", "#ffb9a0", "#b5ad3c", "#2f7f6e", "#b3e5c8", "#a8570a",
];
const LABEL_PX = 13, LABEL_HEIGHT = 19, PAD = 5;

export function classColor(index) {
    return PALETTE[((index % PALETTE.length) + PALETTE.length) % PALETTE.length];
}

/* Black or white, whichever reads better on it. */
function inkOn(color) {
    const [r, g, b] = [1, 3, 5].map((at) => parseInt(color.slice(at, at + 2), 16));
    return 0.299 * r + 0.587 * g + 0.114 * b > 120 ? "#000000" : "#ffffff";
}

export function labelOf(found) {
    const track = found.track_id > 0 ? ` #${found.track_id}` : "";
    return `${found.class_name} ${found.confidence.toFixed(2)}${track}`;
}

export class Picture {
    constructor(canvas) {
        this.canvas = canvas;
        this.context = canvas.getContext("2d");
        this.drawable = null;
        this.size = [0, 0];
        this.boxes = [];
        this.boxSize = [1, 1]; // the picture in whose pixels the boxes are
        new ResizeObserver(() => this.fit()).observe(canvas);
    }

    fit() {
        const ratio = window.devicePixelRatio || 1;
        this.canvas.width = Math.round(this.canvas.clientWidth * ratio);
        this.canvas.height = Math.round(this.canvas.clientHeight * ratio);
        this.paint();
    }

    setPicture(drawable, width, height) {
        this.drawable = drawable;
        this.size = [width, height];
    }

    setBoxes(boxes, width, height) {
        this.boxes = boxes;
        this.boxSize = [width, height];
    }

    clear() {
        this.drawable = null;
        this.boxes = [];
        this.paint();
    }

    paint() {
        const { canvas, context } = this;
        const ratio = window.devicePixelRatio || 1;
        const wide = canvas.width / ratio, high = canvas.height / ratio;
        context.setTransform(ratio, 0, 0, ratio, 0, 0);
        context.clearRect(0, 0, wide, high);
        if (!this.drawable || !this.size[0] || !wide)
            return;
        const scale = Math.min(wide / this.size[0], high / this.size[1]);
        const width = this.size[0] * scale, height = this.size[1] * scale;
        const left = (wide - width) / 2, top = (high - height) / 2;
        context.imageSmoothingQuality = "high";
        context.drawImage(this.drawable, left, top, width, height);
        context.save();
        context.beginPath();
        context.rect(left, top, width, height);
        context.clip();
        this.paintBoxes({ left, top, right: left + width, bottom: top + height },
            width / this.boxSize[0], height / this.boxSize[1]);
        context.restore();
    }

    paintBoxes(area, scaleX, scaleY) {
        const places = this.boxes.map(({ bbox: [x1, y1, x2, y2] }) => ({
            x: area.left + x1 * scaleX, y: area.top + y1 * scaleY,
            width: (x2 - x1) * scaleX, height: (y2 - y1) * scaleY,
        }));
        places.forEach((place, i) => this.paintBox(place, classColor(this.boxes[i].class_id)));
        const taken = [];
        this.boxes.forEach((found, i) => this.paintLabel(found, places[i], area, taken));
    }

    paintBox({ x, y, width, height }, color) {
        const { context } = this;
        context.lineJoin = "miter";
        context.lineWidth = 4;
        context.strokeStyle = "#000000a0";
        context.strokeRect(x, y, width, height);
        context.lineWidth = 2;
        context.strokeStyle = color;
        context.strokeRect(x, y, width, height);
    }

    /* Above the box, inside where there is no room, a line further where another label stands. */
    paintLabel(found, place, area, taken) {
        const { context } = this;
        const text = labelOf(found), color = classColor(found.class_id);
        context.font = `bold ${LABEL_PX}px Cantarell, "Adwaita Sans", system-ui, "DejaVu Sans", sans-serif`;
        const width = context.measureText(text).width + 2 * PAD;
        const x = Math.max(area.left, Math.min(place.x - 1, area.right - width));
        let y = place.y - LABEL_HEIGHT - 1;
        if (y < area.top)
            y = Math.max(area.top, place.y + 1);
        const hits = (top) => taken.some((one) => x < one.x + one.width && one.x < x + width &&
            Math.abs(one.y - top) < LABEL_HEIGHT);
        for (const shift of [0, -LABEL_HEIGHT, LABEL_HEIGHT, 2 * LABEL_HEIGHT]) {
            if (y + shift >= area.top && y + shift + LABEL_HEIGHT <= area.bottom && !hits(y + shift)) {
                y += shift;
                break;
            }
        }
        taken.push({ x, y, width });
        context.fillStyle = color;
        context.fillRect(x, y, width, LABEL_HEIGHT);
        context.strokeStyle = "#000000a0";
        context.lineWidth = 1;
        context.strokeRect(x - 0.5, y - 0.5, width + 1, LABEL_HEIGHT + 1);
        context.fillStyle = inkOn(color);
        context.textBaseline = "middle";
        context.fillText(text, x + PAD, y + LABEL_HEIGHT / 2 + 0.5);
    }
}
