"""What is made of passwords, tokens and one-time passwords."""

import re

import pyotp
import pytest

from kavach import credentials

SECRET = "JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP"
NOW_S = 1_718_250_015


def test_a_password_is_digested_by_argon2id_anew_each_time() -> None:
    """Two digests of one password differ, and both are opened by it and by nothing else."""
    one, two = credentials.secret_digest("open"), credentials.secret_digest("open")
    assert one != two
    assert re.match(r"\$argon2id\$v=19\$m=19456,t=2,p=1\$", one)
    for digest in (one, two):
        assert credentials.is_secret("open", digest)
        assert not credentials.is_secret("Open", digest)
        assert not credentials.is_secret("", digest)


@pytest.mark.parametrize("digest", ["", "0" * 64, "$argon2i$v=19$m=8,t=1,p=1$x$y"])
def test_what_is_no_digest_of_ours_is_opened_by_nothing(digest: str) -> None:
    """No digest at all, and those that earlier versions kept."""
    for secret in ("", "open", digest):
        assert not credentials.is_secret(secret, digest)


def test_access_tokens_look_as_documented() -> None:
    """Two parts of 43 characters, never twice the same."""
    made = {credentials.new_access_token() for _ in range(100)}
    assert len(made) == 100
    assert all(re.fullmatch(r"[\w-]{43}\.[\w-]{43}", token) for token in made)
    token = made.pop()
    assert credentials.is_token(token, credentials.token_digest(token))
    assert not credentials.is_token(made.pop(), credentials.token_digest(token))


@pytest.mark.parametrize("beside", range(-3, 4))
def test_a_totp_is_taken_a_step_early_or_late(beside: int) -> None:
    """Clocks differ by half a minute; beyond that it is another step's."""
    answer = pyotp.TOTP(SECRET).at(NOW_S + 30 * beside)
    expected = NOW_S // 30 + beside if abs(beside) <= 1 else None
    assert credentials.totp_step(SECRET, answer, NOW_S) == expected
    assert credentials.totp_step(SECRET.lower(), answer, NOW_S) == expected


@pytest.mark.parametrize("answer", ["", "0", "12345", "1234567", "abcdef", "é" * 6])
def test_what_is_no_totp_is_none(answer: str) -> None:
    """Whatever is sent, it is compared and found wrong."""
    assert credentials.totp_step(SECRET, answer, NOW_S) is None


@pytest.mark.parametrize(
    ("secret", "good"),
    [
        (SECRET, True),
        ("jbswy3dpehpk3pxp", True),
        ("JBSWY3DPEHPK3PX", False),
        ("JBSWY3DPEHPK3PXP====", False),
        ("A" * 129, False),
        ("0189" * 8, False),
        ("", False),
        ("é" * 32, False),
    ],
)
def test_a_totp_secret_has_enough_bits_in_base_32(secret: str, good: bool) -> None:
    """80 bits at least; and whatever is good can be used."""
    assert credentials.is_totp_secret(secret) is good
    if good:
        answer = credentials.Totp(secret).at(NOW_S)
        assert credentials.totp_step(secret, answer, NOW_S) == NOW_S // 30
