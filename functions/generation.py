"""Queue ``generation-requests``: one message, one generation."""

from datetime import UTC, datetime

import azure.functions as func

from functions.runtime import composition, edge

generation = func.Blueprint()


@generation.service_bus_queue_trigger(
    arg_name="message", queue_name="generation-requests", connection="ServiceBus", data_type="binary"
)
async def process_generation(message: func.ServiceBusMessage) -> None:
    """Run a job. ``binary``, because with strings the host would let a body's properties replace the message's own."""
    from shared.generation.delivery import Delivery
    from shared.generation.process import process

    async with edge():
        delivery = Delivery(
            body=message.get_body(),
            sequence_number=message.sequence_number or 0,
            delivery_count=message.delivery_count or 1,
            enqueued_at=_seconds(message.enqueued_time_utc),
            expires_at=_seconds(message.expires_at_utc),
            message_id=message.message_id,
            reply_to=message.reply_to,
            properties={str(name): value for name, value in message.application_properties.items()},
        )
        await process(delivery, composition().generation)


def _seconds(moment: datetime | None) -> float:
    """Seconds since the epoch of a date that the host sends without a time zone, in UTC."""
    if moment is None:
        raise ValueError
    return moment.replace(tzinfo=moment.tzinfo or UTC).timestamp()
