"""Where all operations on documents stand: those of one address have to stand on one router."""

from ninja import Router

router = Router()
