# ruff: noqa: RUF001, SIM905 - words of many alphabets, in a form that can be read
"""How the columns of members' addresses and usernames are called, in the languages of the people who make the files."""

from __future__ import annotations

import re
from functools import lru_cache

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


# Whoever these speak of is not the member. As a part of a column's name, since names are compounds in some languages.
SOMEBODY_ELSE = tuple(
    """
    guardian parent mother father carer caretaker trainer coach contact emergency invoice billing billed payer referee
    manager handled created updated modified entered exported assigned responsible partner spouse husband sponsor
    brother sister sibling neighbour neighbor supervisor teacher secretary treasurer relation relative nextofkin
    recruiter referr introduced invited
    vormund erziehungsberechtigt eltern mutter vater betreuer trainer übungsleiter kontakt ansprech notfall rechnung
    zahler zahlungspflichtig schiedsrichter verantwort zuständig erstellt angelegt erfasst geändert bearbeit gemeldet
    werber geworben ehemann ehefrau gatte gattin mutti bruder schwester geschwister nachbar kassenwart jugendwart
    schriftführer lehrer leiter vorstand kassier obmann
    tuteur tutrice mère entraîneur entraineur urgence facture facturation arbitre responsable gestionnaire créépar
    conjoint épou parrain professeur
    ouder voogd moeder vader verzorger noodgeval noodcontact factuur scheidsrechter beheerder aangemaakt behandeld
    echtgeno begeleider leraar
    opiekun rodzic matk matka ojciec ojca trener kontakt faktur sędzia sędziego kierownik utworz małżon partnera
    tutor padre madre entrenador contacto emergencia factura árbitro gestor encargado creadopor cónyuge acudiente
    apoderado
    genitor allenator contatto emergenza fattura arbitro gestito creatoda coniuge referente
    målsman förälder foresatt forelder forælder värge tränare
    """.split()
)
# As a word by itself.
SOMEBODY_ELSE_WORDS = frozenset(
    """
    by mum mummy mom mommy dad daddy vati papi oma opa son daughter sohn tochter kin boss ref from cc bcc office
    sender mama papa von an büro bearbeiter chef père pere par mama tata
    padri mari bureau door agent owner captain kapitän
    """.split()
)
# What a user model's name and a role may both be called, and who entered a line.
VAGUE = frozenset(
    """
    user userid login loginid account uid handle benutzer utilisateur usuario utente gebruiker użytkownik bruker
    användare bruger käyttäjä uživatel
    """.split()
)

MEMBER = frozenset(
    """
    member members mitglied mitglieder person personen people recipient recipients empfänger teilnehmer
    participant participants membre membres adhérent lid leden socio soci socios miembro miembros medlem medlemmer
    medlemmar członek członkowie
    """.split()
)
ENDS_AS_DOMAIN = re.compile(r"\.\w{2,}$")
# The fields of a mail that was pasted.
RECIPIENTS = frozenset("to cc bcc an kopie blindkopie à cci para a aan til till do dw udw kopia ccn".split())
OTHER_FIELDS = frozenset(
    """
    from von de van da od fra från sender absender reply-to antwort antwortan répondreà subject betreff objet asunto
    oggetto onderwerp temat emne ämne date datum sent gesendet envoyé enviado inviato verzonden wysłano sendt skickat
    importance priorität attachments anlagen message-id return-path delivered-to
    """.split()
)


def is_address(name: str) -> bool:
    return bare(name) in ADDRESS


def is_near_address(name: str) -> bool:
    """Whether it is some address: of the member, of the guardian."""
    return "mail" in bare(name)


def is_username(name: str) -> bool:
    text = bare(name)
    return bool(text) and (text in USERNAME or text in _own())


def is_number(name: str) -> bool:
    """Whether it is a number that one member has and no other: not a mere "No."."""
    return bare(name) in NUMBER or is_username(name)


def is_person(name: str) -> bool:
    return bare(name) in PERSON


def is_role(name: str) -> bool:
    return bare(name) in ROLE


def is_known(name: str) -> bool:
    return is_address(name) or is_username(name) or bare(name) in OTHERS


def is_about_another(name: str) -> bool:
    """Whether a column is about somebody beside the member: a parent, a trainer, who made the entry."""
    text = bare(name)
    if any(stem in text for stem in SOMEBODY_ELSE):
        return True
    words = "".join(sign if sign.isalnum() else " " for sign in comparable(name[:LONGEST_NAME])).split()
    return not SOMEBODY_ELSE_WORDS.isdisjoint(words)


def speaks_of_another(text: str) -> bool:
    """The same for a sentence: by its words alone."""
    return not SOMEBODY_ELSE_WORDS.isdisjoint(text[:LONGEST_NAME].casefold().split())


def is_vague(name: str) -> bool:
    return bare(name) in VAGUE


def may_be_header(name: str) -> bool:
    """Whether a cell may be the name of a column, if nothing better is there."""
    if is_known(name) or bare(name) in MEMBER or is_about_another(name):
        return True
    # "mia.gmail.com" is an address with a mistake in it.
    return is_near_address(name) and not ENDS_AS_DOMAIN.search(name[:LONGEST_NAME].strip())


def is_login(name: str) -> bool:
    return bare(name) in ("login", "loginid")


def bare(name: str) -> str:
    """Without blanks and signs, in lower case."""
    return "".join(character for character in comparable(name[:LONGEST_NAME]) if character.isalnum())


def _own() -> frozenset[str]:
    """What the site's own user model calls it, in the site's language: whoever asks, a file has the same columns."""
    field = get_user_model()._meta.get_field(get_user_model().USERNAME_FIELD)
    return _names_of(field.name, getattr(field, "verbose_name", ""), settings.LANGUAGE_CODE)


@lru_cache(maxsize=16)
def _names_of(name: str, verbose_name: str, language: str) -> frozenset[str]:
    """Kept by what the lazy name says in the reader's language: a name that is translated anew is another one."""
    with translation.override(language):
        return frozenset({bare(name), bare(str(verbose_name))}) - OTHERS - ADDRESS - {""}
