// Vercel's own client, one call after another.
//
// On stdin: {root, key, calls, chosen}, where `chosen` has what is asked for. On stdout, a line of
// JSON for each call: {"came": ...}, or {"error": {"name", "statusCode", "type", "message"}}.
import { readFileSync } from "node:fs";
import { createGateway } from "@ai-sdk/gateway";
import {
  experimental_generateVideo as generateVideo,
  experimental_getVideoStatus as getVideoStatus,
  experimental_startVideo as startVideo,
  generateImage,
} from "ai";

globalThis.AI_SDK_LOG_WARNINGS = false;
const { root, key, calls, chosen } = JSON.parse(readFileSync(0, "utf8"));
const gateway = createGateway({ apiKey: key, baseURL: `${root}/v4/ai` });
const once = { maxRetries: 0 };

const bytes = (text) => new Uint8Array(Buffer.from(text, "base64"));

// With a last frame, each frame is given with its role: the client then makes the first the image.
// Without a frame the prompt is the text alone.
function clip() {
  const { model, prompt, frame, last, references, ...rest } = chosen;
  const image = frame && bytes(frame);
  const begun = last
    ? {
        prompt,
        frameImages: [
          { image, frameType: "first_frame" },
          { image: bytes(last), frameType: "last_frame" },
        ],
      }
    : {
        prompt: image ? { text: prompt, image } : prompt,
        ...(references && { inputReferences: references.map(bytes) }),
      };
  return { model: gateway.video(model), ...begun, ...rest, ...once };
}

// The client refuses to fetch from this machine by itself.
async function download({ url }) {
  const response = await fetch(url);
  if (!response.ok) throw new Error(`${url} answered ${response.status}`);
  return { data: new Uint8Array(await response.arrayBuffer()), mediaType: "video/mp4" };
}

const made = {
  async image() {
    const { model, prompt: text, pictures, aspectRatio } = chosen;
    const prompt = pictures ? { text, images: pictures.map(bytes) } : text;
    const drawn = await generateImage({ model: gateway.image(model), prompt, aspectRatio, ...once });
    return { base64: drawn.image.base64, type: drawn.image.mediaType };
  },
  async create() {
    return (await startVideo(clip())).operation;
  },
  async status() {
    const model = gateway.video(chosen.model);
    const told = await getVideoStatus(model, { operation: chosen.operation, ...once });
    return { status: told.status, error: told.error };
  },
  async video() {
    // Without `poll` it uses the synchronous call; it sleeps one interval before the first read.
    const poll = { intervalMs: 20, timeoutMs: 20_000 };
    const clips = await generateVideo({ ...clip(), poll, download });
    const { base64, mediaType } = clips.video;
    return { base64, type: mediaType, cost: clips.providerMetadata?.gateway?.cost };
  },
  async credits() {
    return gateway.getCredits();
  },
  async models() {
    return (await gateway.getAvailableModels()).models.map((model) => model.id);
  },
};

for (const call of calls) {
  let told;
  try {
    told = { came: (await made[call]()) ?? null };
  } catch (error) {
    const { name, statusCode, type, message } = error;
    told = { error: { name, statusCode, type, message } };
  }
  process.stdout.write(JSON.stringify(told) + "\n");
}
