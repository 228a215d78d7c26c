"""
How each language speaks to the reader. Wagtail's catalogues, and so ours, have German "Sie", French "vous", Spanish
"tú", Dutch "je" and Italian "tu": what is found here is the other register.
"""

import re

# Pronouns, and possessives that mean nobody but the reader.
WORDS = {
    "de": r"du|dich|dir|dein(?:e[mnrs]?)?|euch|euer|eure[mnrs]?",
    "fr": r"tu|toi|t’|t'|ton|ta|tes|tiens?|tiennes?",
    "es": r"usted(?:es)?|vosotr[oa]s|vuestr[oa]s?",
    "nl": r"u|uw|uwe|uzelf",
    "it": r"lei stess[ao]",
}
# As these are written, since the same word in small letters is another.
AS_WRITTEN = {"it": r"Lei|Suo|Sua|Suoi|Sue|La preghiamo"}
# What asks the reader to do something, at the begin of a sentence or of a clause: elsewhere the same form is a third
# person ("que compruebe"), and some are nouns.
ASKED = {
    "de": "gib nimm lies sieh hilf vergiss wirf sprich speichere wähle wähl klicke öffne schließe prüfe prüf "
    "ändere trag trage schreib schreibe lade kopiere bestätige verwende nutze aktualisiere melde "
    "kontaktiere entferne lösche füge warte antworte schau schaue korrigiere setze lege drücke geh gehe "
    "komm behalte achte vergewissere erstelle veröffentliche bearbeite starte fordere überprüfe benutze "
    "tippe rufe versuche sende",
    "fr": "choisis saisis remplis écris inscris mets prends attends réponds vois fais lis dis réessaie ajoute "
    "vérifie clique ouvre ferme copie colle enregistre sélectionne supprime modifie envoie demande "
    "utilise crée corrige indique confirme connecte-toi contacte essaie regarde garde laisse recharge "
    "retire retourne reviens va tape entre publie consulte donne décoche coche appuie cherche",
    "es": "compruebe guarde seleccione inténtelo intente haga introduzca pulse elija escriba abra cierre copie "
    "pegue envíe envíelo pida solicite utilice use cree corrija indique confirme contacte póngase revise "
    "verifique espere responda vea lea mire deje recargue quite elimine borre vuelva vaya publique edite "
    "añada agregue cambie consulte tenga ponga marque empiece inicie asegúrese diríjase pregunte rellene "
    "complete descargue suba ingrese acceda siga conserve active desactive defina establezca ajuste "
    "busque",
    "it": "apra scelga scriva legga inserisca chieda prema chiuda metta veda attenda faccia vada dia dica tenga "
    "mantenga aggiunga rimuova risponda definisca corregga controlli verifichi clicchi salvi provi "
    "riprovi usi utilizzi selezioni copi incolli ricarichi aggiorni torni imposti elimini modifichi "
    "pubblichi contatti indichi confermi crei lasci guardi aspetti consulti cambi digiti compili scarichi "
    "carichi avvii acceda annulli tolga prosegua esegua cerchi",
}
AND = {"de": "und|oder|dann", "fr": "et|ou|puis", "es": "y|e|o|u|luego|después", "it": "e|ed|o|poi"}
# Where the English has "your", the reader's: else it is somebody's whom the sentence is about.
POSSESSIVES = {"es": r"\b[Ss]us?\b", "it": r"\b[Ss]u(?:o|a|oi|e)\b"}
YOUR = re.compile(r"\byours?\b(?! administrator)", re.IGNORECASE)
# By the begin of their English: a third person is meant, beside a "your" of the reader's.
THIRD_PERSON = {
    "es": ("A test saves the draft", "Your site has its own rule", "Not used: emails have “%(text)s” instead"),
    "it": ("A test saves the draft",),
}


def slips(language, text, english=""):
    """The words of a text in the other register. `english` is the message that it translates."""
    bare = re.sub(r"<[^>]*>|%\(\w+\)s|https?://\S+", " ", text)
    found = re.findall(rf"(?<![\w’'])(?:{WORDS[language]})(?![\w])", bare, re.IGNORECASE)
    if language in AS_WRITTEN:
        found += re.findall(rf"\b(?:{AS_WRITTEN[language]})\b", bare)
    if language in ASKED:
        begin = rf"(?:^\W*|[.:!?;…)»”–] +\W*|[(«“„,] ?|\b(?:{AND[language]}) )"
        found += re.findall(rf"{begin}\b({'|'.join(ASKED[language].split())})\b", bare, re.IGNORECASE)
    if YOUR.search(english) and not english.startswith(THIRD_PERSON.get(language, ())):
        found += re.findall(POSSESSIVES.get(language, r"(?!)"), bare)
    return [word.lower() for word in found]
