/* Drives the page of a running server in headless Chromium and writes what it saw as JSON; serve_page.py judges it.
 *
 *   node serve_page.mjs PLAYWRIGHT WANTED.json
 *
 * WANTED: {url, tokenUrl, token, clip, picture, camera (MJPEG), still (a second of the clip),
 * folder (screenshots), labels (the page's picture.js)} */
import { readFileSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { join } from "node:path";

const [playwright, wantedPath] = process.argv.slice(2);
const { chromium } = createRequire(join(playwright, "x.js"))("playwright-core");
const wanted = JSON.parse(readFileSync(wantedPath, "utf8"));
const slow = Number(process.env.VEDETTE_TEST_SLOWNESS || 1);
const seen = { console: [], foreign: [], requests: 0, policy: "", contrasts: [] };

const browser = await chromium.launch({
    executablePath: process.env.VEDETTE_CHROMIUM || "/usr/bin/chromium",
    headless: true,
    args: ["--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--autoplay-policy=no-user-gesture-required",
        "--use-fake-device-for-media-stream", "--use-fake-ui-for-media-stream",
        `--use-file-for-fake-video-capture=${wanted.camera}`],
});

async function open(url, width, height, more = {}, quiet = true) {
    const context = await browser.newContext({ viewport: { width, height }, ...more });
    await context.grantPermissions(["camera"], { origin: new URL(url).origin });
    const page = await context.newPage();
    page.setDefaultTimeout(10000 * slow);
    if (quiet) {
        page.on("console", (message) => seen.console.push(`${message.type()}: ${message.text()}`));
        page.on("pageerror", (error) => seen.console.push(`error: ${error.message}`));
    }
    page.on("request", (request) => {
        seen.requests++;
        if (!/^(blob|data):/.test(request.url()) && new URL(request.url()).origin !== new URL(url).origin)
            seen.foreign.push(request.url());
    });
    return page;
}

/* Every answer that the page shows from now on goes into window.answers: time of the picture, boxes, and the colour
 * that is painted on the left side of each. Run in the page. */
function record() {
    const list = document.getElementById("boxes"), canvas = document.getElementById("canvas");
    const copy = document.createElement("canvas"), context = copy.getContext("2d", { willReadFrequently: true });
    window.answers = [];
    const look = () => {
        const width = Number(list.dataset.width), height = Number(list.dataset.height);
        const scale = Math.min(canvas.width / width, canvas.height / height);
        const left = (canvas.width - width * scale) / 2, top = (canvas.height - height * scale) / 2;
        copy.width = canvas.width;
        copy.height = canvas.height;
        context.drawImage(canvas, 0, 0);
        const boxes = [...list.children].map((item) => {
            const bbox = item.dataset.bbox.split(",").map(Number);
            const x = Math.round(left + bbox[0] * scale), y = Math.round(top + (bbox[1] + 0.8 * (bbox[3] - bbox[1])) * scale);
            const pixels = context.getImageData(Math.max(0, x - 2), y, 5, 1).data, colors = [];
            for (let i = 0; i < pixels.length; i += 4)
                colors.push([...pixels.slice(i, i + 3)]);
            return { bbox, name: item.dataset.name, confidence: Number(item.dataset.confidence), colors,
                swatch: item.firstChild.getAttribute("fill") };
        });
        window.answers.push({ frame: Number(list.dataset.frame), time: Number(list.dataset.time), width, height, boxes });
    };
    new MutationObserver(look).observe(list, { attributes: true, attributeFilter: ["data-frame"] });
}

const answers = (page) => page.evaluate(() => window.answers.splice(0));
const state = (page) => page.evaluate(() => document.body.dataset.state);
const ready = (page) => until(page, async () => await state(page) === "ready", "the connection");
const shoot = (page, name) => page.screenshot({ path: join(wanted.folder, `${name}.png`) });

/* Playwright's own waiting takes eval, which the page's policy forbids. */
async function until(page, condition, what, seconds = 15) {
    const end = Date.now() + seconds * 1000 * slow;
    while (!await condition()) {
        if (Date.now() > end)
            throw new Error(`waited ${seconds} s for ${what}`);
        await page.waitForTimeout(30);
    }
}

/* The next answers, at least `count`. */
async function collect(page, count) {
    await until(page, async () => await page.evaluate(() => window.answers.length) >= count, `${count} answers`, 20);
    return answers(page);
}

async function slide(page, id, value) {
    await page.locator(id).evaluate((control, to) => {
        control.value = to;
        control.dispatchEvent(new Event("input", { bubbles: true }));
    }, value);
}

/* What is there once a new answer has come after `act`. */
async function after(page, act) {
    await answers(page);
    await act();
    const all = await collect(page, 1);
    await page.waitForTimeout(400);
    all.push(...await answers(page));
    return all.at(-1);
}

/* How the text of a button stands out from what is behind it. Run in the page. */
function contrast(button) {
    const light = (color) => {
        const [r, g, b] = color.match(/[\d.]+/g).map((part) => part / 255)
            .map((part) => part <= 0.04045 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4);
        return 0.2126 * r + 0.7152 * g + 0.0722 * b;
    };
    let behind = button;
    while (getComputedStyle(behind).backgroundColor === "rgba(0, 0, 0, 0)")
        behind = behind.parentElement;
    const [less, more] = [getComputedStyle(button).color, getComputedStyle(behind).backgroundColor].map(light)
        .sort((a, b) => a - b);
    return (more + 0.05) / (less + 0.05);
}

/* Of all buttons that can be pressed now: under the pointer, pressed, and with the focus. */
async function measureButtons(page, where) {
    for (const button of await page.locator(where).all()) {
        if (!await button.isVisible() || !await button.isEnabled())
            continue;
        const words = (await button.innerText()).trim() || await button.getAttribute("aria-label");
        const note = async (how) => seen.contrasts.push([words, how, await button.evaluate(contrast)]);
        await button.hover();
        await note("hover");
        await page.mouse.down();
        await note("pressed");
        await page.mouse.move(1, 1);
        await page.mouse.up();
        await button.focus();
        await page.keyboard.press("Shift");
        await note("focus");
    }
}

async function lookAtButtons() {
    for (const colorScheme of ["light", "dark"]) {
        const page = await open(wanted.url, 1280, 800, { colorScheme });
        await page.goto(wanted.url);
        await ready(page);
        await measureButtons(page, "button");
        await page.setInputFiles("#file", wanted.picture);
        await until(page, () => page.locator("#boxes").getAttribute("data-frame"), "an answer");
        await measureButtons(page, ".bar button");
        await page.context().close();
    }
}

/* Labels of many boxes, by the page's own code: what covers what. */
async function layLabels() {
    const code = readFileSync(wanted.labels, "utf8");
    const { placeLabels } = await import(`data:text/javascript,${encodeURIComponent(code)}`);
    const area = { left: 10, top: 20, right: 400, bottom: 250 }, height = 16, random = ((state) => () => {
        state = (state * 1103515245 + 12345) % 2147483648;
        return state / 2147483648;
    })(7);
    const covers = (a, b) => a.x < b.x + b.width && b.x < a.x + a.width && a.y < b.y + b.height && b.y < a.y + a.height;
    const sums = { labels: 0, missing: 0, onOwn: 0, onLabel: 0, onBox: 0, outside: 0, short: 0 };
    for (let round = 0; round < 300; round++) {
        const boxes = Array.from({ length: 1 + round % 12 }, () => {
            const width = 8 + 120 * random(), high = 8 + 80 * random();
            return { x: area.left + (390 - width) * random(), y: area.top + (230 - high) * random(), width, height: high };
        });
        const labels = placeLabels(boxes, boxes.map(() => ["pothole 0.48 #4", "pothole 48 %", "48 %"]), area, height,
            (text) => 7 * text.length + 10);
        labels.forEach((label, i) => {
            sums.labels++;
            if (!label) {
                sums.missing++;
                return;
            }
            sums.short += label.text.length < 15;
            sums.onOwn += covers(label, boxes[i]);
            sums.onBox += boxes.some((box) => covers(label, box));
            sums.onLabel += labels.some((other, j) => j > i && other && covers(label, other));
            sums.outside += label.x < area.left || label.y < area.top || label.x + label.width > area.right ||
                label.y + height > area.bottom;
        });
    }
    seen.labels = sums;
    const whole = { x: area.left, y: area.top, width: 390, height: 230 };
    seen.wholeLabel = placeLabels([whole], [["all of it"]], area, height, () => 70)[0];
}

async function playClip() {
    const page = await open(wanted.url, 1280, 800);
    const reply = await page.goto(wanted.url);
    seen.policy = reply.headers()["content-security-policy"] || "";
    await ready(page);
    await shoot(page, "desktop-empty");
    await page.evaluate(record);
    await page.locator('input[value="accurate"]').check(); // a busy machine gives way in rate alone
    await page.setInputFiles("#file", wanted.clip);
    seen.clip = await collect(page, 36);
    await shoot(page, "desktop-clip");
    seen.clock = (await page.locator("#clock").innerText()).split(" / ")[1];
    await page.locator("#most").fill("9000");
    await page.locator("#most").blur();
    seen.most = await page.locator("#most").inputValue();
    seen.status = await page.locator(".status").innerText();

    /* On one picture: the slider alone changes what is found. */
    await page.locator("#play").click();
    await slide(page, "#seek", wanted.still);
    await page.waitForTimeout(600);
    seen.still = await after(page, () => slide(page, "#confidence", 0.3));
    seen.none = await after(page, () => slide(page, "#confidence", 1));
    seen.many = await after(page, () => slide(page, "#confidence", 0.05));
    await page.locator("#stage").focus();
    await page.keyboard.press("ArrowUp");
    seen.byKey = await page.locator("#confidence-value").textContent();
    await page.locator("#tab-picture").focus();
    await page.keyboard.press("ArrowRight");
    seen.tab = await page.evaluate(() => document.activeElement.id);
    await page.keyboard.press("ArrowLeft");
    await page.waitForTimeout(600);
    await shoot(page, "desktop-picture");
    seen.table = await page.locator("#table").innerText();

    /* Live: boxes are the newest, the picture goes on. */
    await page.locator("#tab-tune").click();
    await slide(page, "#confidence", 0.3);
    await page.locator('input[value="live"]').check();
    await page.locator("#play").click();
    await answers(page);
    seen.live = (await collect(page, 5)).length;

    /* A picture. */
    seen.picture = await after(page, () => page.setInputFiles("#file", wanted.picture));

    /* Bad values and files are said in words. */
    await page.setInputFiles("#file", { name: "riddle.mp4", mimeType: "video/mp4", buffer: Buffer.from("no clip") });
    await page.locator("#notice").waitFor();
    seen.noClip = await page.locator("#notice-text").innerText();
    await page.context().close();
}

async function playCamera() {
    const page = await open(wanted.url, 390, 844, { deviceScaleFactor: 2, colorScheme: "dark" });
    await page.goto(wanted.url);
    await ready(page);
    await shoot(page, "phone-empty");
    await page.setInputFiles("#file", { name: "notes.txt", mimeType: "text/plain", buffer: Buffer.from("no clip") });
    await page.locator("#notice").waitFor();
    const [notice, stage] = await Promise.all(["#notice", "#stage"].map((id) => page.locator(id).boundingBox()));
    seen.noticeBelow = notice.y - stage.y - stage.height;
    await shoot(page, "phone-notice");
    await page.evaluate(record);
    await page.locator("#empty-camera").click();
    seen.camera = await collect(page, 20);
    seen.moved = await page.locator("#quality").evaluate((text) => {
        const top = () => document.querySelector(".tabs").getBoundingClientRect().top, before = top();
        text.textContent = "Quality lowered 4 of 4 · 1280 × 1280";
        return top() - before;
    });
    await shoot(page, "phone-camera");
    await page.locator("#tab-picture").click();
    seen.phoneWidth = await page.evaluate(() => document.documentElement.scrollWidth);
    await shoot(page, "phone-picture");
    await page.locator("#stop").click();
    seen.stopped = await page.locator("#empty").isVisible();
    await page.context().close();
}

/* The connection breaks: the page comes back by itself, with its session. */
async function loseConnection() {
    const page = await open(wanted.url, 1280, 800, {}, false);
    const lines = [];
    await page.routeWebSocket(/\/stream\/detection/, (line) => {
        lines.push(line);
        line.connectToServer();
    });
    await page.goto(wanted.url);
    await ready(page);
    await page.setInputFiles("#file", wanted.picture);
    await page.evaluate(record);
    await slide(page, "#rate", 7);
    await collect(page, 1);
    await page.setInputFiles("#file", wanted.clip);
    await collect(page, 2);
    await page.route("**/stream/sessions/**", (route) => route.abort());
    await lines[0].close({ code: 3001, reason: "cut" });
    await until(page, async () => await state(page) === "lost", "the loss to be seen");
    const places = [await page.locator("#seek").inputValue()];
    await page.waitForTimeout(300);
    places.push(await page.locator("#seek").inputValue());
    seen.lost = await page.evaluate(() => ({
        enabled: [...document.querySelectorAll("#panel-tune :is(input, select), #seek, #play")]
            .filter((one) => !one.disabled).map((one) => one.id || one.value),
        grey: [".status", "#table"].map((id) => getComputedStyle(document.querySelector(id)).opacity),
        words: document.getElementById("notice-text").textContent,
    }));
    seen.lost.went = places[1] - places[0];
    await shoot(page, "desktop-lost");
    await page.unroute("**/stream/sessions/**");
    await ready(page);
    const from = await page.locator("#seek").inputValue();
    await until(page, async () => await page.locator("#seek").inputValue() !== from, "the clip to go on");
    seen.disabled = await page.locator("#panel-tune :disabled").count();
    await answers(page);
    await slide(page, "#confidence", 0.5);
    seen.again = (await collect(page, 1)).length;
    seen.sessions = lines.map((line) => new URL(line.url()).searchParams.get("client_id"));
    seen.rateKept = await page.locator("#rate").inputValue();
    await page.context().close();
}

async function giveToken() {
    const page = await open(wanted.tokenUrl, 390, 844, {}, false);
    await page.goto(wanted.tokenUrl);
    await page.locator("#token").waitFor();
    await shoot(page, "phone-token");
    await page.locator("#token").fill("not-the-token-at-all");
    await measureButtons(page, "dialog button");
    await page.locator("#token").focus();
    await page.keyboard.press("Enter");
    await until(page, () => page.locator("#token-error").textContent(), "the wrong token to be told");
    seen.wrongToken = await page.locator("#token-error").textContent();
    await page.locator("#token").fill(wanted.token);
    await page.keyboard.press("Enter");
    await ready(page);
    await page.evaluate(record);
    await page.setInputFiles("#file", wanted.picture);
    seen.mostRate = await page.locator("#rate").getAttribute("max");
    seen.withToken = (await collect(page, 1)).at(-1);
    seen.stored = await page.evaluate(() => [Object.keys(localStorage).length, document.cookie]);
    await page.locator("#tab-cameras").click();
    await page.locator("#cameras button").click();
    const now = () => page.locator("#feed-now").textContent();
    await until(page, async () => /^Picture \d+: /.test(await now()), "the camera's detections");
    const first = await now();
    await until(page, async () => await now() !== first, "the camera's next detections");
    seen.cameras = await page.locator("#panel-cameras").innerText();
    await shoot(page, "phone-cameras");
    await page.context().close();
}

try {
    await layLabels();
    await lookAtButtons();
    await playClip();
    await playCamera();
    await loseConnection();
    await giveToken();
    writeFileSync(join(wanted.folder, "seen.json"), JSON.stringify(seen));
} catch (problem) {
    console.error(problem.stack, JSON.stringify(seen.console));
    process.exitCode = 1;
} finally {
    await browser.close();
}
