"""The app object of Azure Functions: checks the settings and registers the blueprints, nothing else.

The app that generates has no reviewers' route, and the review app has nothing but those: no queue, no timer, no other route.
"""

import azure.functions as func

from functions.abuse_review_http import abuse_review_http
from functions.generation import generation
from functions.generations_http import generations_http
from functions.health import health
from functions.holds_http import holds_http
from functions.openai_http import openai_http
from functions.privacy_http import privacy_http
from functions.privacy_page import privacy_page
from functions.retention import retention
from functions.subjects_http import subjects_http
from functions.webhook_endpoints_http import webhook_endpoints_http
from functions.webhooks import webhooks
from shared import settings

BLUEPRINTS = {
    settings.App.GENERATION: (
        generation,
        webhooks,
        retention,
        generations_http,
        openai_http,
        privacy_http,
        privacy_page,
        webhook_endpoints_http,
        holds_http,
        subjects_http,
        health,
    ),
    settings.App.REVIEW: (abuse_review_http, health),
}

chosen = settings.load()  # a wrong setting stops the start, with its name

app = func.FunctionApp(http_auth_level=func.AuthLevel.ANONYMOUS)
for blueprint in BLUEPRINTS[chosen.app]:
    app.register_functions(blueprint)
