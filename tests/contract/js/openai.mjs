// Drives Lethe's OpenAI-compatible face with OpenAI's JavaScript client and prints what it saw as one line of JSON.
import OpenAI from "openai";

const { BASE_URL, TOKEN, RECEIVER } = process.env;
let requests = 0;
const counting = (...request) => {
  requests += 1;
  return fetch(...request);
};
const client = new OpenAI({ baseURL: BASE_URL, apiKey: TOKEN, fetch: counting });
const small = { model: "gpt-small", background: true };
const seen = {};

const until = async (look) => {
  for (let tries = 0; tries < 600; tries += 1) {
    const found = await look();
    if (found) return found;
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  throw new Error("waited in vain");
};
const ended = ({ id }) =>
  until(async () => {
    const found = await client.responses.retrieve(id);
    return ["queued", "in_progress"].includes(found.status) ? null : found;
  });
const failure = (promise) =>
  promise.then(
    () => null,
    (error) => ({ name: error.constructor.name, code: error.code, param: error.param ?? null }),
  );

seen.models = [];
for await (const model of client.models.list()) seen.models.push(model.id);

const created = await client.responses.create({ ...small, input: "Say it again.", metadata: { order: "18" } });
seen.created = { status: created.status, metadata: created.metadata };
const completed = await ended(created);
seen.completed = {
  status: completed.status,
  repeats: completed.output_text.includes("Say it again."),
  metadata: completed.metadata,
};
const filtered = await ended(await client.responses.create({ ...small, input: "[[block:violence]]" }));
seen.filtered = { status: filtered.status, code: filtered.error.code };
const incomplete = await ended(await client.responses.create({ ...small, input: "[[block-completion:hate]]" }));
seen.incomplete = { status: incomplete.status, reason: incomplete.incomplete_details.reason };
const running = await client.responses.create({ ...small, input: "[[delay:3000]]" });
const cancelled = await client.responses.cancel(running.id);
seen.cancelled = { status: cancelled.status, output: cancelled.output.length };

const keyed = { headers: { "Idempotency-Key": crypto.randomUUID() } };
const first = await client.responses.create({ ...small, input: "One." }, keyed);
seen.sameKey = (await client.responses.create({ ...small, input: "One." }, keyed)).id === first.id;
requests = 0;
const conflict = await failure(client.responses.create({ ...small, input: "Another." }, keyed));
seen.conflict = { name: conflict.name, code: conflict.code, requests };

seen.background = await failure(client.responses.create({ ...small, input: "Now.", background: false }));
seen.stream = await failure(client.responses.create({ ...small, input: "Bit by bit.", stream: true }));
seen.tools = await failure(client.responses.create({ ...small, input: "Look.", tools: [{ type: "web_search" }] }));
await client.responses.delete(created.id);
seen.deleted = await failure(client.responses.retrieve(created.id));
seen.stranger = await failure(new OpenAI({ baseURL: BASE_URL, apiKey: "sk-not-a-token" }).models.list());

const made = await client.webhooks.create({
  name: "javascript",
  url: `${RECEIVER}/hooks/javascript`,
  event_types: ["response.completed"],
});
const listed = [];
for await (const endpoint of client.webhooks.list()) listed.push(endpoint.id);
const updated = await client.webhooks.update(made.id, { name: "renamed" });
const tested = await client.webhooks.test(made.id, { event_type: "response.completed" });
const rotated = await client.webhooks.rotateSecret(made.id);
seen.endpoint = {
  listed: listed.includes((await client.webhooks.retrieve(made.id)).id),
  renamed: updated.name,
  test: tested.status_code,
  rotated: rotated.signing_secret !== made.signing_secret,
};

const told = await ended(await client.responses.create({ ...small, input: "Tell me." }));
const report = await until(async () => {
  const { received } = await (await fetch(`${RECEIVER}/_control/received`)).json();
  return received.find(({ name, body }) => name === "javascript" && body.includes(told.id));
});
const event = await client.webhooks.unwrap(report.body, report.headers, rotated.signing_secret);
seen.unwrapped = { type: event.type, isOurs: event.data.id === told.id };
seen.forged = (await failure(client.webhooks.unwrap(report.body, report.headers, made.signing_secret))).name;

await client.webhooks.delete(made.id);
seen.endpointDeleted = await failure(client.webhooks.retrieve(made.id));

console.log(JSON.stringify(seen));
