"""A scrape, read by Prometheus's own parser."""

from prometheus_client.parser import text_string_to_metric_families


class Figures:
    """Every sample of one scrape, by name and labels."""

    def __init__(self, exposition: str) -> None:
        self.kinds: dict[str, str] = {}  # Of the families, by their names.
        self.samples: dict[tuple[str, frozenset[tuple[str, str]]], float] = {}
        for family in text_string_to_metric_families(exposition):
            name = f"{family.name}_total" if family.type == "counter" else family.name
            self.kinds[name] = family.type
            for sample in family.samples:
                key = (sample.name, frozenset(sample.labels.items()))
                assert key not in self.samples, f"{key} is told twice"
                self.samples[key] = sample.value

    def get(self, name: str, **labels: str) -> float | None:
        """Return one sample, or None if it is not told."""
        return self.samples.get((name, frozenset(labels.items())))

    def __getitem__(self, name: str) -> float:
        return self.samples[name, frozenset()]

    def total(self, name: str) -> float:
        """Return the sum of a name over all its labels."""
        return sum(value for (found, _), value in self.samples.items() if found == name)

    def labels(self) -> set[tuple[str, str]]:
        """Return every label with every value it has."""
        return {label for _, labels in self.samples for label in labels}
