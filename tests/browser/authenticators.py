# SPDX-License-Identifier: Apache-2.0
"""A virtual security key (WebAuthn over CDP)."""


def authenticator(page, **options):
    """A virtual security key in this page; returns the CDP session and its id."""
    cdp = page.context.new_cdp_session(page)
    cdp.send("WebAuthn.enable")
    settings = {
        "protocol": "ctap2",
        "transport": "internal",
        "hasResidentKey": True,
        "hasUserVerification": True,
        "isUserVerified": True,
        "automaticPresenceSimulation": True,
        **options,
    }
    made = cdp.send("WebAuthn.addVirtualAuthenticator", {"options": settings})
    return cdp, made["authenticatorId"]
