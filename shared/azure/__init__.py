"""The only floor that touches an Azure SDK. Foreign exceptions end here and leave as errors of ours, with static text."""
