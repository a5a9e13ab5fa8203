"""Notifications: what people are told of in the application, and by mail if they like (contract 06 section 24)."""

from vitrine.notifications.model import Notification, NotificationKind
from vitrine.notifications.service import Notifications

__all__ = ["Notification", "NotificationKind", "Notifications"]
