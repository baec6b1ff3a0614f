/*
 * A paper is checked (docs/CHECK.md).  What stands behind the code's '#' (the
 * summary and its salt) never leaves this page: only what stands before it is
 * asked for, and the answer is computed again here, hash by hash.
 */
"use strict";

const LETTERS = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";
const LABELS = [["案号", "Case"], ["文种", "Form"], ["时间", "Time"],
	["件数", "Items"], ["合计", "Total"]];
const DOMAIN = "daybreak-print/1\0";
const SALT = 10, ID = 16, HASH = 32;

const $ = (id) => document.getElementById(id);
const utf8 = new TextEncoder();
let about = { court: "", hour: "", origin: "", reader: false };

class Bad extends Error {
	constructor(zh, en) {
		super(en);
		this.zh = zh;
	}
}

/* ---- bytes */

function unbase32(text) {
	const out = new Uint8Array(Math.floor(text.length * 5 / 8));
	let acc = 0, bits = 0, n = 0;

	for (const c of text) {
		const v = LETTERS.indexOf(c);

		if (v < 0)
			return null;
		acc = (acc << 5 | v) & 0xfff;
		bits += 5;
		if (bits >= 8) {
			bits -= 8;
			out[n++] = acc >> bits & 0xff;
		}
	}
	const spelling = Math.ceil(out.length * 8 / 5) === text.length;

	return spelling && (acc & (1 << bits) - 1) === 0 ? out : null;
}

function unhex(text) {
	if (!/^([0-9a-f]{2})*$/.test(text))
		return null;
	return Uint8Array.from(text.match(/../g) || [],
		(x) => parseInt(x, 16));
}

function same(a, b) {
	return a.length === b.length && a.every((x, i) => x === b[i]);
}

function join(...parts) {
	const out = new Uint8Array(parts.reduce((n, p) => n + p.length, 0));
	let at = 0;

	for (const p of parts) {
		out.set(p, at);
		at += p.length;
	}
	return out;
}

function u64(n) {
	const out = new Uint8Array(8), v = new DataView(out.buffer);

	v.setUint32(0, Math.floor(n / 2 ** 32));
	v.setUint32(4, n % 2 ** 32);
	return out;
}

async function sha256(...parts) {
	return new Uint8Array(await crypto.subtle.digest("SHA-256",
		join(...parts)));
}

/* ---- the code on the paper */

/* Link and origin of A, as far as this page needs them. */
function readFirst(a) {
	let at = 2 + 16;

	if (a.length < 150 || a[0] !== 1 || a[1] > 1)
		return null;
	while (a[at] > 0x7f)
		at++;
	at++;
	const link = a.subarray(at, at + HASH);

	at += HASH + 64 + 16;
	if (a[1] === 1) {
		while (a[at] > 0x7f)
			at++;
		at++;
	}
	return { link, origin: new TextDecoder().decode(a.subarray(at)) };
}

function readCode(text) {
	const m = /DBP1-([A-Z2-7]+)(?:#([A-Z2-7]+))?/.exec(
		text.replace(/\s+/g, "").toUpperCase());

	if (!m)
		throw new Bad("没有找到核验码：它以 DBP1- 开头。",
			"No code found: it begins with DBP1-.");
	const a = unbase32(m[1]), b = m[2] ? unbase32(m[2]) : null;
	const first = a && readFirst(a);

	if (!first || !b || b.length <= SALT)
		throw new Bad("核验码不完整，请重新复制全部文字。",
			"The code is not whole: copy all of its text.");
	return { ask: "DBP1-" + m[1], link: first.link, origin: first.origin,
		salt: b.subarray(0, SALT), summary: b.subarray(SALT) };
}

/* What is typed: letters that look alike are taken for those there are. */
function readTyped() {
	const letters = (id) => $(id).value.replace(/[\s-]+/g, "")
		.toUpperCase().replace(/0/g, "O").replace(/1/g, "I")
		.replace(/8/g, "B");
	const text = letters("t-id"), id = unbase32(text);
	const salt = unbase32(letters("t-salt"));
	const lines = LABELS.map((_, i) => $("t-" + i).value.trim());

	if (!id || id.length !== ID)
		throw new Bad("编号应为 26 个字母和数字。",
			"The number has 26 letters and digits.");
	if (lines.every((x) => x === "") && $("t-salt").value.trim() === "")
		return { ask: text, link: id, origin: null, salt: null,
			summary: null };
	if (!salt || salt.length !== SALT)
		throw new Bad("核对码应为 16 个字母和数字。",
			"The check letters are 16 letters and digits.");
	if (/^\d+$/.test(lines[3]))
		lines[3] += "项";
	return { ask: text, link: id, origin: null, typed: true, salt,
		summary: utf8.encode(lines.join("\n")) };
}

/* ---- the court's answer, computed again */

function liar() {
	return new Bad("本院的答复自相矛盾，请联系本院。",
		"The answer contradicts itself: tell the court.");
}

/* RFC 9162, 2.1.3.2: does the leaf at `place` lead to the root? */
async function leads(leaf, place, size, proof, root) {
	let fn = place, sn = size - 1, r = leaf;
	const node = (a, b) => sha256([1], a, b);

	for (const p of proof) {
		if (sn === 0)
			return false;
		if (fn % 2 === 1 || fn === sn) {
			r = await node(p, r);
			while (fn % 2 === 0 && fn !== 0) {
				fn = Math.floor(fn / 2);
				sn = Math.floor(sn / 2);
			}
		} else {
			r = await node(r, p);
		}
		fn = Math.floor(fn / 2);
		sn = Math.floor(sn / 2);
	}
	return sn === 0 && same(r, root);
}

/* A checkpoint's origin, size and root (C2SP tlog-checkpoint). */
function readNote(note) {
	const [origin, size, root] = note.split("\n");

	return { origin, size: Number(size),
		root: Uint8Array.from(atob(root), (c) => c.charCodeAt(0)) };
}

async function prove(code, got) {
	const head = JSON.parse(got.head), note = readNote(got.note);
	const digest = await sha256(utf8.encode(got.head));
	const link = await sha256([2], unhex(got.prev), u64(head.seq), digest);
	const leaf = await sha256([0], link);

	if (head.do !== "print" || note.size !== got.size ||
	    !same(link.subarray(0, code.link.length), code.link) ||
	    !await leads(leaf, got.place, got.size, got.proof.map(unhex),
		note.root))
		throw liar();
	return { head, note, link };
}

async function summaryFits(code, got) {
	const digest = await sha256(utf8.encode(DOMAIN), code.salt,
		code.summary);

	return same(digest, unhex(got.digest));
}

/* ---- what is shown */

const VERDICTS = {
	good: ["已存证，此后无更正", "Logged, and not corrected since",
		"二维码所载摘要与本院存证一致。", "The summary in the code is the one that was logged."],
	corrected: ["已存证，其后有更正", "Logged, and corrected since",
		"打印之后，本文书所载内容已有更正，或该记录已作废。请向本院索取更正后的文书。",
		"What this paper says was corrected after it was printed, or the record was voided. Ask the court for the corrected one."],
	false: ["内容与存证不符", "Not what was logged",
		"这不是本院存证的文书，或已被改动。请勿采信，并告知本院。",
		"This is not a paper that the court logged, or it was changed. Do not rely on it, and tell the court."],
	later: ["今日制作的文书请于 {hour} 后在此核验", "Made today? Check again here after {hour}",
		"如果文书不是今天制作的，说明本院存证中没有这个编号。",
		"If the paper is of an earlier day, the court's log has no such number."],
	idonly: ["编号已存证，内容未核对", "The number is logged; the contents were not compared",
		"真编号也可能被抄到假文书上。请扫码，或填写核对码和摘要。",
		"A true number can be copied onto a false paper. Scan the code, or type check letters and summary."],
};

function put(dl, zh, en, value) {
	const div = document.createElement("div");
	const dt = document.createElement("dt"), dd = document.createElement("dd");
	const small = document.createElement("span");

	small.className = "en";
	small.lang = "en";
	small.textContent = en;
	dt.append(zh + " ", small);
	dd.textContent = value;
	div.append(dt, dd);
	dl.append(div);
}

function tell(name, hour) {
	const fill = (s) => s.replace("{hour}", hour);
	const [zh, en, whyZh, whyEn] = VERDICTS[name];

	$("verdict").className = "verdict " + name;
	$("verdict-zh").textContent = fill(zh);
	$("verdict-en").textContent = fill(en);
	$("why-zh").textContent = whyZh;
	$("why-en").textContent = whyEn;
	$("result").dataset.verdict = name;
	$("compare").hidden = true;
	$("proof").hidden = true;
	$("summary").replaceChildren();
	$("facts").replaceChildren();
}

function compare(code) {
	const lines = new TextDecoder().decode(code.summary).split("\n");

	LABELS.forEach(([zh, en], i) => {
		if (lines[i])
			put($("summary"), zh, en, lines[i]);
	});
	$("compare").hidden = false;
}

/* Fingers err more often than papers do. */
function typedWrong() {
	$("why-zh").textContent = "请先检查输入：核对码和摘要须与纸面一字不差。确认无误仍不符的，" +
		$("why-zh").textContent;
	$("why-en").textContent = "Look first whether all was typed exactly as printed. " +
		$("why-en").textContent;
}

function hex(bytes) {
	return Array.from(bytes, (x) => x.toString(16).padStart(2, "0")).join("");
}

function facts(got, proved) {
	const dl = $("facts");

	put(dl, "条目", "Entry", hex(proved.link.subarray(0, ID)));
	put(dl, "记录", "Record", proved.head.rec);
	put(dl, "存证时间", "Logged at", got.received);
	put(dl, "存证位置", "Place", `${got.place} / ${got.size}`);
	put(dl, "存证根", "Checkpoint", got.note);
	$("proof").hidden = false;
}

function show() {
	$("result").hidden = false;
	$("ask").hidden = true;
	$("result").focus();
	window.scrollTo(0, 0);
}

/* ---- asking */

async function ask(code) {
	let r;

	try {
		r = await fetch("/v1/check/" + code.ask,
			{ cache: "no-store", credentials: "omit" });
	} catch (e) {
		throw new Bad("连接不上本院，请稍后再试。",
			"The court cannot be reached: try later.");
	}
	const got = await r.json().catch(() => ({}));

	if (r.status === 429 || r.status === 503)
		throw new Bad(`${got.zh || "请稍后再试"}（${
			r.headers.get("Retry-After") || 5} 秒后）。`,
		"Too many questions: try again in a moment.");
	if (!r.ok)
		throw new Bad(got.zh || "核验未能完成，请稍后再试。",
			got.message || "The check could not be done: try later.");
	return got;
}

async function check(code) {
	const got = await ask(code);

	if (got.state !== "found") {
		tell(got.state === "false" ? "false" : "later", got.hour);
		if (code.origin && about.origin && code.origin !== about.origin)
			$("why-zh").textContent += `此码写明的存证日志（${
				code.origin}）不是本院现用的（${about.origin}）。`;
		return;
	}
	const proved = await prove(code, got);

	if (!code.summary)
		tell("idonly", got.hour);
	else if (!await summaryFits(code, got))
		tell("false", got.hour);
	else
		tell(got.corrected ? "corrected" : "good", got.hour);
	if ($("result").dataset.verdict !== "false")
		facts(got, proved);
	else if (code.typed)
		typedWrong();
	if (code.summary && $("result").dataset.verdict !== "false")
		compare(code);
}

async function run(read, where) {
	const bad = $(where);

	bad.hidden = true;
	document.querySelectorAll("button").forEach((b) => b.disabled = true);
	try {
		if (!crypto.subtle)
			throw new Bad("请用 https 打开本页。", "Open this page by https.");
		await check(read());
		show();
	} catch (e) {
		const known = e instanceof Bad ? e : liar();

		bad.textContent = known.zh + "\n" + known.message;
		bad.hidden = false;
		$("result").hidden = true;
		$("ask").hidden = false;
	} finally {
		document.querySelectorAll("button").forEach(
			(b) => b.disabled = false);
	}
}

/* ---- pictures */

async function detects() {
	return "BarcodeDetector" in window &&
		(await BarcodeDetector.getSupportedFormats()).includes("qr_code");
}

/* The picture's pixels, its longer side at most `side`. */
function pixels(image, side) {
	const scale = Math.min(1, side / Math.max(image.width, image.height));
	const canvas = document.createElement("canvas");

	canvas.width = Math.max(1, Math.round(image.width * scale));
	canvas.height = Math.max(1, Math.round(image.height * scale));
	const to = canvas.getContext("2d", { willReadFrequently: true });

	to.drawImage(image, 0, 0, canvas.width, canvas.height);
	return to.getImageData(0, 0, canvas.width, canvas.height);
}

/* The text of the code in a picture; "" if none was found.  By the browser
 * itself where it can, else by the reader that this court's server has, which
 * is fetched only now. */
async function readPicture(file) {
	const image = await createImageBitmap(file);

	if (await detects()) {
		const found = await new BarcodeDetector({ formats: ["qr_code"] })
			.detect(image).catch(() => []);

		if (found.length > 0)
			return found[0].rawValue;
	}
	if (!about.reader)
		return "";
	const { default: decode } = await import("/qr/decode.js");

	for (const side of [1600, 3000]) {
		try {
			return decode(pixels(image, side));
		} catch (e) {
			/* Not at this size. */
		}
	}
	return "";
}

async function takePicture() {
	const file = $("photo").files[0];
	let text = "";

	if (!file)
		return;
	$("photo-label").classList.add("busy");
	try {
		text = await readPicture(file);
	} catch (e) {
		/* No picture, or no reader to be had: said below. */
	}
	$("photo-label").classList.remove("busy");
	$("photo").value = "";
	$("code").value = text;
	await run(() => {
		if (text === "")
			throw new Bad(
				"照片中没有认出二维码。请把二维码拍正、拍满、拍清楚再试，或用“扫一扫”复制粘贴。",
				"No code was recognised in the picture: straight, close and sharp, or use a scanner and paste.");
		return readCode(text);
	}, "bad");
}

async function offerPhoto() {
	if (!about.reader && !await detects())
		return;
	$("by-photo").hidden = false;
	$("photo").addEventListener("change", takePicture);
}

/* A link of the court's own may bring the code behind its '#'. */
function fromAddress() {
	const text = decodeURIComponent(location.hash.slice(1));

	if (text === "")
		return;
	$("code").value = text;
	run(() => readCode(text), "bad");
}

async function start() {
	$("scan").addEventListener("submit", (e) => {
		e.preventDefault();
		run(() => readCode($("code").value), "bad");
	});
	$("typed").addEventListener("submit", (e) => {
		e.preventDefault();
		run(readTyped, "t-bad");
	});
	$("again").addEventListener("click", () => {
		$("result").hidden = true;
		$("ask").hidden = false;
		$("code").value = "";
		$("code").focus();
	});
	window.addEventListener("hashchange", fromAddress);
	try {
		about = await (await fetch("/v1/check")).json();
		$("court").textContent = about.court;
		document.title = "文书核验 · " + about.court;
	} catch (e) {
		$("court").textContent = "";
	}
	fromAddress();
	offerPhoto().catch(() => {});
}

start();
