"""The app object of Azure Functions: checks the settings and registers the blueprints, nothing else."""

import azure.functions as func

from functions.generation import generation
from functions.health import health
from functions.retention import retention
from shared import settings

settings.load()  # a wrong setting stops the start, with its name

app = func.FunctionApp(http_auth_level=func.AuthLevel.ANONYMOUS)
for blueprint in (generation, retention, health):
    app.register_functions(blueprint)
