"""Small corpora that the tests train on, and how to write them."""

from __future__ import annotations

import csv
from collections.abc import Iterable, Sequence
from pathlib import Path

#: Twelve articles of five sentences: (labels, sentence). Two frames, some sentences with both, some with none.
FLOODS_AND_STRIKES: tuple[tuple[tuple[str, str], ...], ...] = (
    (
        ("flood", "The river rose above the flood wall during the night."),
        ("flood", "Rain is expected to fall on the valley until Thursday."),
        ("", "The museum will open an hour later on Sundays."),
        ("strike", "Train drivers announced a strike over unpaid overtime."),
        ("", "Tickets for the concert went on sale this morning."),
    ),
    (
        ("strike", "The union called dock workers out on strike at noon."),
        ("strike", "Pickets blocked the gate while the union met the employer."),
        ("", "A new bakery has opened beside the town hall."),
        ("flood", "Heavy rain left the lower streets under flood water."),
        ("flood|strike", "The strike kept the flood pumps idle as rain filled the river."),
    ),
    (
        ("flood", "Flood water entered forty houses near the old mill."),
        ("flood", "The dam keepers opened the sluice to lower the river."),
        ("", "The choir rehearses in the school on Mondays."),
        ("strike", "Nurses voted to strike unless the wage offer improves."),
        ("", "A lost dog was found unharmed in the park."),
    ),
    (
        ("strike", "Bus drivers ended their strike after the union won a wage rise."),
        ("", "The library lends telescopes as well as books."),
        ("flood", "Rain drummed on the roofs and the river kept rising."),
        ("strike", "The employer rejected the wage claim and the union walked out."),
        ("", "Two swans have nested by the boat house."),
    ),
    (
        ("flood|strike", "Because of the strike nobody manned the flood barrier when the rain came."),
        ("flood", "The barrier on the river failed and the flood reached the square."),
        ("", "The chess club meets in the cafe on Fridays."),
        ("strike", "Teachers joined the strike with placards and drums."),
        ("", "An exhibition of old maps opens next week."),
    ),
    (
        ("flood", "Sandbags were piled along the river before the flood peaked."),
        ("strike", "Pilots will strike for two days, their union said."),
        ("", "The mayor planted an oak in the school garden."),
        ("flood", "Meteorologists measured more rain in a day than in all of May."),
        ("strike", "Workers at the mill downed tools and demanded a wage rise."),
    ),
    (
        ("strike", "The strike at the port entered its third week."),
        ("flood", "A flood warning is in force for the lower river."),
        ("", "The swimming pool offers lessons for beginners."),
        ("flood", "Rain and melting snow swelled the river to a record."),
        ("", "The orchestra hired a new conductor."),
    ),
    (
        ("flood", "The flood cut the road to the village for a week."),
        ("strike", "Cleaners went on strike and pickets stood at every gate."),
        ("strike", "The union and the employer met a mediator on Tuesday."),
        ("", "Apples are cheap at the market this autumn."),
        ("", "A film about bees won the student prize."),
    ),
    (
        ("flood", "Divers inspected the bridge after the flood receded."),
        ("flood", "More rain is forecast and the river may rise again."),
        ("", "The post office moved to the station building."),
        ("strike", "Postal workers plan a strike before the holidays."),
        ("flood|strike", "Union pickets sheltered from the rain as the river burst its banks."),
    ),
    (
        ("strike", "The court allowed the strike to go ahead."),
        ("strike", "Wage talks collapsed and the union named a strike date."),
        ("flood", "Rain soaked the festival field and the flood closed it."),
        ("", "The zoo named its newborn giraffe after a singer."),
        ("", "Bicycle lanes will be painted green this summer."),
    ),
    (
        ("flood", "Villagers fled the flood by boat as the river rose."),
        ("", "The theatre repeats its winter comedy tonight."),
        ("strike", "Miners returned to work when the strike fund ran dry."),
        ("flood", "The flood washed away a footbridge below the dam."),
        ("", "A carpenter restored the clock on the tower."),
    ),
    (
        ("strike", "Ferry crews began a strike and the union promised more."),
        ("flood", "The ministry declared the valley a flood zone after days of rain."),
        ("", "The gardening column returns next month."),
        ("strike", "The employer offered a wage bonus to end the strike."),
        ("", "Visitors may now photograph the cathedral ceiling."),
    ),
)

#: One topic a sentence, three topics.
ROOMS: tuple[tuple[str, str], ...] = (
    ("kitchen", "The soup simmers on the stove in a copper pot."),
    ("kitchen", "Peel the onions before the oven is hot."),
    ("kitchen", "She kneads dough for bread beside the stove."),
    ("kitchen", "The oven timer rings when the bread is brown."),
    ("kitchen", "A pot of onions and soup waits on the stove."),
    ("kitchen", "Bread dough rises best in a warm oven."),
    ("kitchen", "He stirs the soup and salts the pot."),
    ("kitchen", "The knife for onions lies beside the bread."),
    ("garden", "The roses need water on dry evenings."),
    ("garden", "Plant the tulips before the first frost."),
    ("garden", "A spade leans on the hedge by the roses."),
    ("garden", "She cut the hedge and raked the lawn."),
    ("garden", "Frost spoiled the roses along the lawn."),
    ("garden", "The lawn wants seed and water in spring."),
    ("garden", "He dug a bed for tulips with the spade."),
    ("garden", "Water the hedge and the tulips at dawn."),
    ("harbour", "The ferry moored at the quay after dark."),
    ("harbour", "Fishing boats unload their catch on the quay."),
    ("harbour", "A sailor tied the rope to the mast."),
    ("harbour", "The anchor held while boats rode the tide."),
    ("harbour", "At low tide the ferry cannot reach the quay."),
    ("harbour", "The sailor mended a sail and coiled the rope."),
    ("harbour", "Boats with tall masts crowd the quay."),
    ("harbour", "The tide lifted the anchor and the ferry sailed."),
)


def write_rows(path: Path, header: Sequence[str], rows: Iterable[Sequence[str]]) -> Path:
    """Write a CSV file and return its path."""
    with path.open("w", encoding="utf-8", newline="") as stream:
        writer = csv.writer(stream, lineterminator="\n")
        writer.writerow(header)
        writer.writerows(rows)
    return path


def write_floods_and_strikes(path: Path) -> Path:
    rows = [
        (f"article-{number}", labels, text)
        for number, article in enumerate(FLOODS_AND_STRIKES)
        for labels, text in article
    ]
    return write_rows(path, ("article_id", "labels", "text"), rows)


def write_rooms(path: Path) -> Path:
    return write_rows(path, ("Category", "Example"), ROOMS)
