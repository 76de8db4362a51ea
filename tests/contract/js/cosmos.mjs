// Drives the Cosmos endpoint with the official JavaScript SDK and prints what it saw as one line of JSON.
import { CosmosClient } from "@azure/cosmos";

const client = new CosmosClient({ endpoint: process.env.COSMOS_ENDPOINT, key: process.env.COSMOS_KEY });
const { database } = await client.databases.createIfNotExists({ id: "javascript" });
const { container } = await database.containers.createIfNotExists({
  id: "jobs",
  partitionKey: { paths: ["/tenantId", "/jobId"], kind: "MultiHash", version: 2 },
  defaultTtl: -1,
});
const seen = {};

async function status(action) {
  try {
    return (await action()).statusCode ?? 200;
  } catch (error) {
    return error.code;
  }
}

// Items and etags.
const item = { id: "receipt", tenantId: "t", jobId: "j1", n: 1, text: "Grüße" };
const created = await container.items.create(item);
seen.created = created.statusCode;
seen.charged = created.requestCharge > 0;
seen.duplicate = await status(() => container.items.create(item));
const receipt = container.item("receipt", ["t", "j1"]);
const stale = (await receipt.read()).etag;
seen.read = (await receipt.read()).resource.text;
seen.replaced = (await receipt.replace({ ...item, n: 2 })).resource.n;
const condition = { accessCondition: { type: "IfMatch", condition: stale } };
seen.stale = await status(() => receipt.replace({ ...item, n: 3 }, condition));
seen.upserted = (await container.items.upsert({ ...item, n: 4 })).resource.n;

// Patch.
const patch = { condition: "from c where c.n = 4", operations: [{ op: "incr", path: "/n", value: 1 }] };
seen.patched = (await receipt.patch(patch)).resource.n;
seen.predicate = await status(() => receipt.patch(patch));

// Batches.
const batch = (...operations) => container.items.batch(operations, ["t", "j1"]);
const create = (id) => ({ operationType: "Create", resourceBody: { id, tenantId: "t", jobId: "j1" } });
const whole = await batch(create("output"), { operationType: "Patch", id: "receipt", resourceBody: { operations: [{ op: "set", path: "/done", value: true }] } });
seen.batch = whole.result.map((each) => each.statusCode);
const broken = await batch(create("fresh"), create("output"));
seen.broken = [broken.code, ...broken.result.map((each) => each.statusCode)];
seen.nothing = (await container.item("fresh", ["t", "j1"]).read()).statusCode;

// Queries.
for (let number = 0; number < 5; number += 1) {
  await container.items.create({ id: "receipt", tenantId: "t", jobId: `q${number}`, n: 10 + number });
}
await container.items.create({ id: "receipt", tenantId: "other", jobId: "q0", n: 99 });
const ask = async (query, options, ...values) => {
  const parameters = values.map((value, index) => ({ name: `@p${index}`, value }));
  return (await container.items.query({ query, parameters }, options).fetchAll()).resources;
};
seen.one = await ask("SELECT VALUE c.n FROM c WHERE c.id = @p0", { partitionKey: ["t", "q3"] }, "receipt");
seen.prefix = await ask("SELECT VALUE c.n FROM c WHERE c.n >= @p0 ORDER BY c.n DESC", { partitionKey: ["t"] }, 10);
seen.all = await ask("SELECT VALUE c.n FROM c WHERE c.n >= @p0 ORDER BY c.n", { maxItemCount: 2 }, 10);
seen.count = await ask("SELECT VALUE COUNT(1) FROM c WHERE c.n >= 10");
seen.cut = await ask("SELECT TOP 2 VALUE c.n FROM c WHERE c.n >= 10 ORDER BY c.n");
seen.planned = await ask("SELECT VALUE c.n FROM c WHERE c.n >= 10", { forceQueryPlan: true, maxItemCount: 2 });
seen.listed = (await container.items.readAll().fetchAll()).resources.length;
seen.unsupported = await status(() => ask("SELECT DISTINCT c.n FROM c"));

// Removal.
seen.deleted = (await receipt.delete()).statusCode;
seen.gone = (await receipt.read()).statusCode;
seen.definition = (await container.read()).resource.partitionKey.paths;
seen.dropped = (await database.delete()).statusCode;
client.dispose();
console.log(JSON.stringify(seen));
