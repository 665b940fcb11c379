"""
The vendor's own method names: a dict in, the answer's dict out, errors included.

A program written for the official SDK keeps its calls. What is different from upstream:

- the caller's dict is never changed; keys whose value is ``None`` are left out of the request;
- ids and search words are escaped, so that none can address another path or end a query; a missing
  id is a ``BadArgument``;
- a cancel sends its parameters as the documents say, in the body;
- names are taken in both of the vendor's spellings: ``BasketId`` and ``basket_id``;
- what the pages show as an answer is what comes back: of a GTT call the whole answer, of
  ``getDPRdata`` the range and not a piece of something else;
- when no answer comes, or one that is not JSON, ``TransportError`` is raised, for a change
  ``OutcomeUnknown``, and not whatever the HTTP library happens to raise.

Error answers come back as dicts, as upstream. Whoever wants exceptions uses the typed methods.
``greekdata`` is not there: the vendor publishes its answer, and no address to ask for it.

Source: docs/compatibility.md.
"""
