"""Queue ``webhook-deliveries``: one message, one attempt to tell one endpoint of one event."""

import azure.functions as func

from functions.runtime import composition, edge

webhooks = func.Blueprint()


@webhooks.service_bus_queue_trigger(
    arg_name="message", queue_name="webhook-deliveries", connection="ServiceBus", data_type="binary"
)
async def deliver_webhook(message: func.ServiceBusMessage) -> None:
    """Make an attempt; the next one, if it needs one, is a scheduled message of its own."""
    from shared.delivery.deliver import deliver

    async with edge():
        await deliver(message.get_body(), composition().webhooks)
