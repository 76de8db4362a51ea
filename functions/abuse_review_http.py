"""The reviewers' routes: only the review app has them."""

import azure.functions as func

abuse_review_http = func.Blueprint()
