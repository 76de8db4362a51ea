// Drives a queue with Microsoft's JavaScript SDK and prints what it saw as one line of JSON.
import { ServiceBusClient } from "@azure/service-bus";

const client = new ServiceBusClient(process.env.CONNECTION_STRING);
const sender = client.createSender("plain");
const receiver = client.createReceiver("plain");
const dead = client.createReceiver("plain", { subQueueType: "deadLetter" });
const next = async (from = receiver) => (await from.receiveMessages(1, { maxWaitTimeInMs: 5000 }))[0];
const seen = {};

await sender.sendMessages({
  body: { text: "Grüße" },
  messageId: "m-1",
  subject: "s",
  contentType: "application/json",
  correlationId: "c-1",
  timeToLive: 300000,
  applicationProperties: { number: 7, flag: true },
});
const first = await next();
seen.sent = {
  body: first.body,
  messageId: first.messageId,
  subject: first.subject,
  contentType: first.contentType,
  correlationId: first.correlationId,
  timeToLive: first.timeToLive,
  applicationProperties: first.applicationProperties,
  sequenceNumber: first.sequenceNumber.toString(),
  deliveryCount: first.deliveryCount,
};
const lockedUntil = first.lockedUntilUtc.getTime();
await new Promise((resolve) => setTimeout(resolve, 5));
seen.renewed = (await receiver.renewMessageLock(first)).getTime() > lockedUntil;
await receiver.completeMessage(first);

await sender.sendMessages({ body: "abandoned" });
await receiver.abandonMessage(await next(), { tried: "once" });
const again = await next();
seen.abandoned = { deliveryCount: again.deliveryCount, tried: again.applicationProperties.tried };

await receiver.deadLetterMessage(again, { deadLetterReason: "code", deadLetterErrorDescription: "why" });
const lost = await next(dead);
seen.deadLettered = { body: lost.body, reason: lost.deadLetterReason, description: lost.deadLetterErrorDescription };
await dead.completeMessage(lost);

const batch = await sender.createMessageBatch();
for (const body of ["a", "b", "c"]) batch.tryAddMessage({ body });
await sender.sendMessages(batch);
seen.peeked = (await receiver.peekMessages(10)).map((message) => message.body);
seen.received = [];
while (seen.received.length < 3) {
  for (const message of await receiver.receiveMessages(5, { maxWaitTimeInMs: 5000 })) {
    seen.received.push(message.body);
    await receiver.completeMessage(message);
  }
}

const numbers = await sender.scheduleMessages([{ body: "x" }, { body: "y" }], new Date(Date.now() + 3600000));
seen.scheduled = (await receiver.peekMessages(10, { fromSequenceNumber: numbers[0] })).map((message) => message.state);
await sender.cancelScheduledMessages(numbers);
seen.cancelled = (await receiver.peekMessages(10, { fromSequenceNumber: numbers[0] })).length === 0;

await sender.sendMessages({ body: "deferred" });
const deferred = await next();
await receiver.deferMessage(deferred);
const [found] = await receiver.receiveDeferredMessages(deferred.sequenceNumber);
seen.deferred = found.body;
await receiver.completeMessage(found);

seen.empty = (await receiver.receiveMessages(1, { maxWaitTimeInMs: 300 })).length === 0;

const failure = (promise) => promise.then(() => null, (error) => error.code);
seen.tooLarge = await failure(sender.sendMessages({ body: "x".repeat(300000) }));
seen.unknown = await failure(client.createSender("no-such-queue").sendMessages({ body: "x" }));

await client.close();
console.log(JSON.stringify(seen));
