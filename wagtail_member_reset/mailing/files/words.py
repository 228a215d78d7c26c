# ruff: noqa: RUF001, SIM905 - words of many alphabets, in a form that can be read
"""How the columns of members' addresses and usernames are called, in the languages of the people who make the files."""

from __future__ import annotations

from django.conf import settings
from django.contrib.auth import get_user_model
from django.utils import translation

from ...accounts import comparable

LONGEST_NAME = 60
# Compared without blanks and signs, in lower case.
ADDRESS = frozenset(
    """
    email mail emails emailaddress mailaddress email1 primaryemail memberemail useremail emailprimary
    email1value emailadresse emailadressen mailadresse emailanschrift epost epostadresse epostadress
    sähköposti courriel adressemail adresseemail adressecourriel adresseélectronique mél correo
    correoelectrónico correoelectronico emailadres eposta epostaadresi emailcím emailadresa indirizzoemail
    adresemail adresaemail endereçodeemail почта элпочта электроннаяпочта メール メールアドレス 邮箱 电子邮件 이메일
    """.split()
)
USERNAME = frozenset(
    """
    username user userid userlogin login loginname loginid signinname account accountname samaccountname uid
    handle benutzername benutzer benutzerkennung anmeldename nutzername kennung loginkennung membernumber
    memberno memberid membershipnumber membershipno membershipid mitgliedsnummer mitgliedsnr mitgliednr
    mitgliedernummer nomdutilisateur identifiant numéroadhérent numérodadhérent usuario nombredeusuario
    nomeutente utente gebruikersnaam lidnummer brukernavn medlemsnummer användarnamn brugernavn
    käyttäjätunnus nomedeusuário nazwaużytkownika uživatelskéjméno kullanıcıadı felhasználónév логин
    имяпользователя ユーザー名 用户名 사용자이름
    """.split()
)
# Not usernames everywhere, but numbers that belong to a member.
NUMBER = frozenset(
    """
    membernumber memberno membernr membernum memberid membershipnumber membershipno membershipnr membershipid
    mitgliedsnummer mitgliedsnr mitgliednr mitgliednummer mitgliedernummer mitgliedsno numéroadhérent
    numérodadhérent numeroadherent numerodadherent nadhérent nodadhérent numérodemembre numerodemembre numéromembre
    númerodesocio numerodesocio nºdesocio nºsocio nosocio numerosocio ndesocio nsocio codicesocio numerotessera
    tessera lidnummer lidnr ledennummer ledennr medlemsnummer medlemsnr medlemnr medlemsid jäsennumero numerczłonka
    nrczłonka členskéčíslo üyeno üyenumarası tagszám номерчлена членскийномер 会員番号 会员号 회원번호
    """.split()
)
PERSON = frozenset(
    """
    name names fullname firstname lastname surname givenname familyname middlename vorname nachname zuname
    familienname nom prénom nombre apellido apellidos nome cognome voornaam achternaam naam förnamn efternamn namn
    fornavn etternavn efternavn navn fornamn etunimi sukunimi nimi imię nazwisko jméno příjmení имя фамилия member
    mitglied contact person
    """.split()
)
# One word in them may be anybody's username.
ROLE = frozenset("role roles group groups status rolle rollen gruppe gruppen rôle ruolo rol roll rola".split())
OTHERS = frozenset(
    """
    name names fullname firstname lastname surname givenname familyname middlename nr no number id role
    roles group groups status notes note comment comments phone mobile address street city zip postcode
    country birthday joined vorname nachname zuname familienname anrede titel strasse ort plz telefon
    handy rolle gruppe gruppen bemerkung bemerkungen notiz eintritt geburtstag nom prénom téléphone ville
    rôle nombre apellido apellidos teléfono cognome ruolo telefono voornaam achternaam telefoon förnamn
    efternamn fornavn etternavn fornamn
    """.split()
)


def is_address(name: str) -> bool:
    return _bare(name) in ADDRESS


def is_near_address(name: str) -> bool:
    """Whether it is some address: of the member, of the guardian."""
    return "mail" in _bare(name)


def is_username(name: str) -> bool:
    bare = _bare(name)
    return bool(bare) and (bare in USERNAME or bare in _own())


def is_number(name: str) -> bool:
    """Whether it is a number that one member has and no other: not a mere "No."."""
    return _bare(name) in NUMBER or is_username(name)


def is_person(name: str) -> bool:
    return _bare(name) in PERSON


def is_role(name: str) -> bool:
    return _bare(name) in ROLE


def is_known(name: str) -> bool:
    return is_address(name) or is_username(name) or _bare(name) in OTHERS


def _bare(name: str) -> str:
    return "".join(character for character in comparable(name[:LONGEST_NAME]) if character.isalnum())


def _own() -> frozenset[str]:
    """What the site's own user model calls it, in the site's language: whoever asks, a file has the same columns."""
    field = get_user_model()._meta.get_field(get_user_model().USERNAME_FIELD)
    with translation.override(settings.LANGUAGE_CODE):
        names = {_bare(field.name), _bare(str(getattr(field, "verbose_name", "")))}
    return frozenset(names) - OTHERS - ADDRESS - {""}
