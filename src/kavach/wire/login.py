"""
What the web login and logout say, and the profile: requests as loosely typed as their senders.

The two steps are one request each. The names differ by client: an official SDK sends
``channel_id`` and ``channel_secret``, others ``login_id`` and ``password``.

Source: docs/wire/login.md, "Profile, trading_info, logout"; docs/wire/login.md, "OAuth2";
docs/wire/login.md, "The web login".
"""

from enum import StrEnum
from typing import Annotated, Any, Final

import msgspec

from kavach.wire import fields as read
from kavach.wire.errors import BadField
from kavach.wire.exact import BLANK, Maybe, Needed, Request
from kavach.wire.fields import JsonNumber, is_blank
from kavach.wire.orders.answers import Success
from kavach.wire.orders.requests import ClientId

SECRET_LENGTH_MAX: Final = 128
PIN_QUESTION: Final = 22  # What clients that do not look at the question send.
TOTP_QUESTION: Final = 100
QUESTIONS: Final = {PIN_QUESTION: "Enter your PIN", TOTP_QUESTION: "Enter your TOTP"}


class FactorWord(StrEnum):
    """Which second factor is asked for; a TOTP is taken under PIN, too."""

    PIN = "PIN"
    TOTP = "TOTP"


@read.accepts(type="string", maxLength=SECRET_LENGTH_MAX)
def secret(value: object, field: str) -> str:
    """Return a password, a PIN or the like: text, or digits that came as a number."""
    if type(value) is int and value >= 0:
        value = str(value) if value < 10**SECRET_LENGTH_MAX else ""
    if is_blank(value):
        raise BadField(field, blank=True)
    if type(value) is not str or len(value) > SECRET_LENGTH_MAX or not value.isprintable():
        raise BadField(field)
    return value


@read.accepts(
    type="array",
    maxItems=1,
    minItems=1,
    items={
        "type": "object",
        "required": ["answer"],
        "properties": {
            "question_id": {"type": ["integer", "string"]},
            "answer": {"type": ["string", "integer"]},
        },
    },
)
def factor_answer(value: object, field: str) -> str:
    """Return what was answered to the second step's only question."""
    if is_blank(value):
        raise BadField(field, blank=True)
    if type(value) is not list or len(value) != 1 or type(value[0]) is not dict:
        raise BadField(field)
    given: dict[str, Any] = value[0]
    question = given.get("question_id")
    if question is not None and str(question) not in map(str, QUESTIONS):
        raise BadField("question_id")
    return secret(given.get("answer"), "answer")


LoginId = Annotated[str, "The account.", read.identifier]
Password = Annotated[str, "Its password.", secret]
Device = Annotated[Any, "Not read.", read.unread]
TwofaToken = Annotated[str, "From the first step's answer.", secret]
Totp = Annotated[str, "What the authenticator shows.", secret]
Answers = Annotated[str, "One object: the question's id, and the PIN or TOTP.", factor_answer]


_factor: Final = read.word(FactorWord)
FactorType = Annotated[
    FactorWord, "PIN or TOTP, in any case; a TOTP is taken under PIN, too.", _factor
]


class LoginRequest(Request, kw_only=True):
    """The first step: who, and the password; in one spelling or the other."""

    channel_id: Maybe[LoginId] = BLANK
    channel_secret: Maybe[Password] = BLANK
    login_id: Maybe[LoginId] = BLANK
    password: Maybe[Password] = BLANK
    device: Maybe[Device] = BLANK


class TwofaRequest(Request, kw_only=True):
    """The second step: the PIN or the TOTP."""

    login_id: Needed[LoginId] = BLANK
    twofa: Needed[Answers] = BLANK
    twofa_token: Needed[TwofaToken] = BLANK
    type: Maybe[FactorType] = BLANK
    device_type: Maybe[Device] = BLANK


class TotpRequest(Request, kw_only=True):
    """The second step as an older client says it."""

    login_id: Needed[LoginId] = BLANK
    twofa_token: Needed[TwofaToken] = BLANK
    totp: Needed[Totp] = BLANK


class LogoutRequest(Request, kw_only=True):
    """The end of a session; who it is about need not be said."""

    client_id: Maybe[ClientId] = BLANK
    login_id: Maybe[ClientId] = BLANK


logout_decoder: Final = msgspec.json.Decoder(LogoutRequest, float_hook=JsonNumber)
login_decoder: Final = msgspec.json.Decoder(LoginRequest, float_hook=JsonNumber)
twofa_decoder: Final = msgspec.json.Decoder(TwofaRequest, float_hook=JsonNumber)
totp_decoder: Final = msgspec.json.Decoder(TotpRequest, float_hook=JsonNumber)


class Question(msgspec.Struct, frozen=True):
    """What the second step asks."""

    question: str
    question_id: int


class Twofa(msgspec.Struct, frozen=True):
    """How the second step is taken."""

    questions: list[Question]
    twofa_token: str
    type: str


class Login(msgspec.Struct, frozen=True, kw_only=True):
    """The answer to the first step; the token comes with the second."""

    alert: str = ""
    auth_token: str = ""
    login_id: str
    reset_password: bool = False
    reset_two_fa: bool = False
    twofa: Twofa
    twofa_enabled: bool = True


class AuthToken(msgspec.Struct, frozen=True):
    """The answer to the second step."""

    auth_token: str
    reset_password: bool = False
    reset_two_fa: bool = False


class Nothing(msgspec.Struct, frozen=True):
    """There is nothing to say."""


class LoginAnswer(Success[Login], frozen=True):
    """The envelope of the first step."""


class TwofaAnswer(Success[AuthToken], frozen=True):
    """The envelope of the second step."""


class LogoutAnswer(Success[Nothing], frozen=True):
    """The envelope of a logout."""


LOGGED_OUT: Final = "Logged out successfully"


class Role(msgspec.Struct, frozen=True):
    """What a user may be."""

    id: int = 1
    name: str = "CLIENT"


class ExchangeNnf(msgspec.Struct, frozen=True):
    """The number under which each exchange knows the terminal that orders come from."""

    BSE: int
    MCX: int
    NFO: int
    NSE: int


class Profile(msgspec.Struct, frozen=True, kw_only=True):
    """Everything that the documents have of a client, in their order."""

    last_password_change_date: int = 0
    dob: str = ""
    bank_state: str = ""
    bank_branch_name: str = ""
    bank_account_number: str = ""
    pan_number: str = ""
    user_type: str = "CLIENT"
    account_type: str = ""
    exchanges_subscribed: list[str]
    ifsc_code: str = ""
    status: str = "active"
    office_addr: str = ""
    bank_name: str = ""
    depository: None = None
    client_id: str
    name: str
    exchange_nnf: ExchangeNnf
    dp_id: list[str]
    profile_url: str = ""
    backoffice_link: str = ""
    permanent_addr: str = ""
    city: str = ""
    branch: str = ""
    cp_code: None = None
    sex: str = ""
    broker_id: None = None
    poa_status: bool = False
    phone_number: str = ""
    role: Role = Role()
    bo_id: list[str]
    state: str = ""
    products_enabled: list[str]
    bank_city: str = ""
    poa_enabled: bool = False
    basket_enabled: bool = True
    twofa_enabled: bool
    email_id: str = ""
    user_conscents: list[str]
    entity_type: str = ""


class ProfileAnswer(Success[Profile], frozen=True):
    """The answer to GET profile."""


class TokenBody(msgspec.Struct, frozen=True):
    """What an app gets for a code."""

    access_token: str
    expires_in: int
    scope: str
    token_type: str = "bearer"


class OAuthErrorBody(msgspec.Struct, frozen=True):
    """What an app gets for anything else; some clients read one key, some the other."""

    error: str
    error_description: str
    message: str
