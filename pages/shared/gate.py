"""Sign-in through an OpenID Connect provider, where one is configured; nothing else is drawn for who has not signed in."""

import hashlib
from collections.abc import Mapping
from importlib.util import find_spec
from typing import Any

import streamlit as st

from pages.shared.language import N_, _
from pages.shared.widgets import plain, show_error
from recsys.errors import MissingExtraError

_FIX = N_("Sign in with another account, or ask whoever runs Coldlens to add yours to COLDLENS_USERS.")


def is_configured() -> bool:
    """Whether there is a provider: a part ``[auth]`` in Streamlit's ``secrets.toml``."""
    return bool(st.secrets.load_if_toml_exists() and "auth" in st.secrets)


def may_enter(users: tuple[str, ...]) -> bool:
    """Whether this visitor may see the dashboard; draws what they see otherwise.

    Args:
        users: as in the settings.

    It is called before anything else is drawn, in the frame that every page needs, so no address leads past it.
    """
    if not is_configured():
        return True
    if find_spec("authlib") is None:
        fix = _("Install it (`pip install 'coldlens[auth]'`), or take the part [auth] out of secrets.toml.")
        show_error(MissingExtraError(_("Signing in needs a package"), "Authlib", fix=fix))
        return False
    if not st.user.is_logged_in:
        _draw_sign_in()
        return False
    if not is_welcome(st.user.to_dict(), users):
        _draw_unwelcome()
        return False
    return True


def is_welcome(user: Mapping[str, Any], users: tuple[str, ...]) -> bool:
    """Whether a signed-in visitor is one of the users: by e-mail address, or by its domain written as ``@example.com``.

    Without any users, whoever the provider lets in is welcome. An address that the provider says is not verified is none.
    """
    if not users:
        return True
    address = str(user.get("email") or "").strip().lower()
    if not address or "@" not in address or user.get("email_verified") is False:
        return False
    return address in users or f"@{address.rpartition('@')[2]}" in users


def account() -> str | None:
    """Returns a name for the signed-in visitor that tells nothing of who it is, the same every time; ``None`` without sign-in."""
    if not is_configured() or not st.user.is_logged_in:
        return None
    user = st.user.to_dict()
    return hashlib.sha256(f"{user.get('iss')} {user.get('sub')}".encode()).hexdigest()[:32]


def draw_account() -> None:
    """Draws who is signed in, and the way out."""
    if not is_configured():
        return
    user = st.user.to_dict()
    with st.container(horizontal=True, vertical_alignment="center", horizontal_alignment="distribute"):
        called = str(user.get("email") or user.get("name") or _("Signed in"))
        st.caption(f":material/account_circle: {plain(called)}")
        st.button(_("Sign out"), icon=":material/logout:", on_click=st.logout, type="tertiary")


def _draw_sign_in() -> None:
    st.title("Coldlens")
    st.markdown(_("Cold-start recommendations that explain themselves. Sign in to go on."))
    st.button(_("Sign in"), icon=":material/login:", on_click=st.login, type="primary")


def _draw_unwelcome() -> None:
    user = st.user.to_dict()
    st.title("Coldlens")
    st.error(
        _("**This account may not use this dashboard**: “{account}”\n\n{fix}").format(
            account=plain(str(user.get("email") or user.get("sub") or _("unknown"))), fix=_(_FIX)
        ),
        icon=":material/error:",
    )
    st.button(_("Sign out"), icon=":material/logout:", on_click=st.logout)
