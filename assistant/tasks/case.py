"""One turn of one task: what the words say of its parameters, checked against the user's own state. The guard."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from assistant.domain.live import Question
from assistant.domain.state import Entity, UserState
from assistant.domain.task import Task
from assistant.language import Locale
from assistant.tasks import wording
from assistant.tasks.backend import Option
from assistant.tasks.conditions import find, first_unmet
from assistant.tasks.declaration import schema_problem
from assistant.tasks.slots import pointed_at, pointed_option, said_by_customer, same_value, text_value


@dataclass(slots=True)
class TaskCase:
    """One turn of one task; ``parameters`` holds only what is known and, for entities, the user's own."""

    question: Question
    task: Task
    state: UserState
    locale: Locale
    parameters: dict[str, str]
    options: dict[str, tuple[Option, ...]]
    foreign: tuple[str, ...] = ()
    asked: str = ""
    misses: int = 0
    guessed: str = ""  # the parameter for which a model chose one of several things that the customer did not name

    @property
    def names(self) -> dict[str, str]:
        """Ids of options with the names they are shown by."""
        return {option.id: option.title for options in self.options.values() for option in options}

    @property
    def missing(self) -> tuple[str, ...]:
        """Required parameters that are not known yet."""
        return tuple(
            p.name
            for p in self.task.parameters
            if not p.optional
            and p.name not in self.parameters
            and not any(self.parameters.get(name) in values for name, values in p.unless.items())
        )

    def collect(self, suggested: Mapping[str, str]) -> None:
        """Take in what this turn says of the task's parameters; a model's suggestions only where they hold."""
        question, state = self.question, self.state
        said = [*[t.text for t in question.history if t.role == "customer"][-6:], question.text]
        for parameter in self.task.parameters:
            name = parameter.name
            if parameter.source == "entity":
                candidates = state.of_kind(parameter.kind)
                pointed = pointed_at(question.text, candidates, state, question.history)
                self.foreign = self.foreign or pointed.foreign
                chosen = _one(pointed.entities, parameter.likely)
                if chosen is not None:
                    self.parameters[name] = chosen.id
                elif name not in self.parameters and not pointed.foreign and (idea := suggested.get(name)):
                    own = find(state, parameter.kind, idea)
                    if own is not None and (not pointed.entities or own in pointed.entities):
                        self.parameters[name] = own.id
                        self.guessed = name if len(candidates) > 1 else self.guessed
                continue
            if parameter.source == "option":
                options = self.options.get(name, ())
                found = pointed_option(question.text, [(o.id, o.title) for o in options], question.history)
                if found is None and suggested.get(name) in {o.id for o in options}:
                    found = suggested[name]
                    self.guessed = name if len(options) > 1 else self.guessed
                if found is not None:
                    self.parameters[name] = found
                continue
            value = text_value(parameter, question.text, asked=self.asked == name)
            if value is None and name not in self.parameters:
                idea = suggested.get(name, "")
                value = idea if said_by_customer(idea, said) else None
            if value is None or schema_problem(self.task, {name: value}) is not None:
                continue
            if not same_value(value, self.parameters.get(name, "")):
                self.parameters[name] = value
        for parameter in self.task.parameters:
            if any(self.parameters.get(n) in values for n, values in parameter.unless.items()):
                self.parameters.pop(parameter.name, None)

    def unusable(self, now: datetime) -> bool:
        """Whether the world has moved since the summary was shown."""
        if first_unmet(self.task, self.parameters, self.state, now) is not None or self.missing:
            return True
        for parameter in self.task.parameters:
            value = self.parameters.get(parameter.name)
            if value is None:
                continue
            if parameter.source == "entity" and find(self.state, parameter.kind, value) is None:
                return True
            if parameter.source == "option" and value not in {o.id for o in self.options.get(parameter.name, ())}:
                return True
        return False

    def choose_the_only_one(self) -> None:
        for parameter in self.task.parameters:
            if parameter.source == "entity" and parameter.name not in self.parameters and not self.foreign:
                candidates = self.candidates(parameter.name)
                if len(candidates) == 1:
                    self.parameters[parameter.name] = candidates[0].id

    def candidates(self, name: str) -> list[Entity]:
        parameter = self.task.parameter(name)
        return [e for e in self.state.of_kind(parameter.kind) if not parameter.likely or e.status in parameter.likely]

    def guess_told(self) -> str:
        """Says which thing was chosen without having been named."""
        parameter = self.task.parameter(self.guessed)
        value = self.parameters[self.guessed]
        shown = wording.shown_value(parameter, value, self.state, self.names, self.locale)
        return wording.say("guessed", self.locale, value=wording.plain_line(shown))

    def rows(self) -> tuple[tuple[str, str], ...]:
        return tuple(
            (p.label.of(self.locale), wording.shown_value(p, value, self.state, self.names, self.locale))
            for p in self.task.parameters
            if (value := self.parameters.get(p.name)) is not None
        )


def _one(entities: tuple[Entity, ...], likely: tuple[str, ...]) -> Entity | None:
    """The entity meant: the only one, or the only one in a likely status."""
    if len(entities) == 1:
        return entities[0]
    fitting = [e for e in entities if e.status in likely]
    return fitting[0] if len(fitting) == 1 else None
