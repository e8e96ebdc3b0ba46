"""The track: order, retries, run record, settings, command line. No logic of the trade; the only room that knows Prefect."""
