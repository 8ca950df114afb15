"""
Where waveforms and metadata come from, when they do not lie on a disk yet: FDSN web services.

::

    centres        names of data centres, and where each service of one lies
    selection      what a user wants: codes, days, a region; and the windows of one request
    credentials    what the environment says, and nothing ever prints
    pace           when the next request may go out
    client         one request: retries, waits, status codes, bodies that end too early
    listing        what the station service says there is
    availability   which days of it hold samples
    dataselect     windows in, records out; splits what is too large
    records        miniSEED of an answer: checked, trimmed, sorted into channel-days
    outcomes       what became of a channel-day, and whether to ask again
"""
