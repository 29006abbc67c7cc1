"""Every board, by the folder of Grafana that it is in. A new board is a file beside this one and a line here."""

from . import commerce, duty, feeds, hall, health, history, itself, room, wall
from .board import Board

BOARDS = (
    Board("Halls", "hall", hall.make),
    Board("Analysts", "history", history.make),
    Board("Leaders", "wall", wall.make),
    Board("Duty", "duty", duty.make),
    Board("Duty", "health", health.make),
    Board("Duty", "room", room.make),
    Board("Duty", "feeds", feeds.make),
    Board("Duty", "self", itself.make),
    Board("Analysts", "commerce", commerce.make),
)
