"""The shop behind the demo's tasks: a real HTTP application over SQLite, so that what is done shows in the state."""

from assistant.demo_shop.app import create_shop
from assistant.demo_shop.store import ShopStore

__all__ = ["ShopStore", "create_shop"]
