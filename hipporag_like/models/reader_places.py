"""Countries and what their people are called: world knowledge that "the same nationality" needs."""

from __future__ import annotations

import re

# COUNTRY: demonyms and other names|places and languages that stand for it. UN members of more than about five
# million people, some smaller and former ones, and the states of the US. "_" is a space inside a name.
_TABLE = """
United States: American U.S. US USA U.S.A. America Americans|Alabama Alaska Arizona Arkansas California
 Colorado Connecticut Delaware Florida Hawaii Idaho Illinois Indiana Iowa Kansas Kentucky Louisiana Maine
 Maryland Massachusetts Michigan Minnesota Mississippi Missouri Montana Nebraska Nevada New_Hampshire
 New_Jersey New_Mexico New_York North_Carolina North_Dakota Ohio Oklahoma Oregon Pennsylvania
 Rhode_Island South_Carolina South_Dakota Tennessee Texas Utah Vermont Virginia West_Virginia Wisconsin
 Wyoming Hollywood
United Kingdom: British English Scottish Welsh UK U.K. Britain Great_Britain England Scotland Wales
 Briton Northern_Irish Northern_Ireland Cornish|London
Canada: Canadian|Ontario Quebec Alberta Manitoba Saskatchewan British_Columbia Nova_Scotia New_Brunswick
 Newfoundland
Australia: Australian|New_South_Wales Queensland Tasmania
New Zealand: New_Zealander
India: Indian|Tamil Telugu Malayalam Kannada Hindi Bengali Marathi Bollywood Punjabi Kerala Mumbai
 Chennai Odia
Ireland: Irish
France: French|Paris
Germany: German West_Germany East_Germany West_German East_German|Prussian Bavarian Saxon Berlin
Austria: Austrian Austria-Hungary Austro-Hungarian
Switzerland: Swiss
Italy: Italian|Rome Sicilian Venetian
Spain: Spanish|Catalan Basque Castilian
Portugal: Portuguese
Netherlands: Dutch Holland
Belgium: Belgian Flemish
Luxembourg: Luxembourgish
Denmark: Danish Dane
Sweden: Swedish Swede
Norway: Norwegian
Finland: Finnish Finn
Iceland: Icelandic
Russia: Russian Soviet Soviet_Union|Moscow
Ukraine: Ukrainian
Belarus: Belarusian
Poland: Polish
Czech Republic: Czech Czechoslovak Czechoslovakia Bohemian
Slovakia: Slovak
Hungary: Hungarian
Romania: Romanian|Transylvania
Bulgaria: Bulgarian
Greece: Greek
Turkey: Turkish Ottoman Ottoman_Empire
Serbia: Serbian Yugoslav Yugoslavia
Croatia: Croatian
Slovenia: Slovene Slovenian
Bosnia and Herzegovina: Bosnian Bosnia
North Macedonia: Macedonian Macedonia
Albania: Albanian
Montenegro: Montenegrin
Estonia: Estonian
Latvia: Latvian
Lithuania: Lithuanian
Moldova: Moldovan
Georgia: Georgian
Armenia: Armenian
Azerbaijan: Azerbaijani
Kazakhstan: Kazakh Kazakhstani
Uzbekistan: Uzbek
Israel: Israeli
Palestine: Palestinian
Lebanon: Lebanese
Syria: Syrian
Jordan: Jordanian
Iraq: Iraqi
Iran: Iranian Persian Persia
Saudi Arabia: Saudi
Kuwait: Kuwaiti
Yemen: Yemeni
Qatar: Qatari
Bahrain: Bahraini
Oman: Omani
Egypt: Egyptian
Libya: Libyan
Tunisia: Tunisian
Algeria: Algerian
Morocco: Moroccan
Sudan: Sudanese
Ethiopia: Ethiopian
Somalia: Somali
Kenya: Kenyan
Uganda: Ugandan
Tanzania: Tanzanian
Rwanda: Rwandan
Nigeria: Nigerian
Ghana: Ghanaian
Senegal: Senegalese
Mali: Malian
Ivory Coast: Ivorian
Cameroon: Cameroonian
Congo: Congolese
Angola: Angolan
Mozambique: Mozambican
Zambia: Zambian
Zimbabwe: Zimbabwean
Botswana: Botswanan
Namibia: Namibian
South Africa: South_African
Madagascar: Malagasy
Japan: Japanese
China: Chinese|Beijing
Hong Kong: Hongkonger
Taiwan: Taiwanese
South Korea: South_Korean Korean Korea
North Korea: North_Korean
Mongolia: Mongolian
Vietnam: Vietnamese
Thailand: Thai Siam Siamese
Cambodia: Cambodian
Laos: Laotian
Myanmar: Burmese Burma
Malaysia: Malaysian
Singapore: Singaporean
Indonesia: Indonesian
Philippines: Filipino Filipina Philippine
Pakistan: Pakistani
Bangladesh: Bangladeshi
Sri Lanka: Sri_Lankan
Nepal: Nepalese Nepali
Afghanistan: Afghan
Mexico: Mexican
Guatemala: Guatemalan
Honduras: Honduran
El Salvador: Salvadoran
Nicaragua: Nicaraguan
Costa Rica: Costa_Rican
Panama: Panamanian
Cuba: Cuban
Haiti: Haitian
Dominican Republic: Dominican
Jamaica: Jamaican
Trinidad and Tobago: Trinidadian
Puerto Rico: Puerto_Rican
Colombia: Colombian
Venezuela: Venezuelan
Ecuador: Ecuadorian
Peru: Peruvian
Bolivia: Bolivian
Brazil: Brazilian
Paraguay: Paraguayan
Uruguay: Uruguayan
Argentina: Argentine Argentinian Argentinean
Chile: Chilean
Roman Empire: ancient_Rome Roman
Byzantine Empire: Byzantine
"""


def _read_table() -> tuple[dict[str, str], frozenset[str]]:
    countries: dict[str, str] = {}
    regions: set[str] = set()
    for line in re.sub(r"\n ", " ", _TABLE.strip()).split("\n"):
        country, _, rest = line.partition(":")
        names, _, parts = rest.partition("|")
        for name in (country, *_split(names)):
            countries[name] = country
        for name in _split(parts):
            countries.setdefault(name, country)
            regions.add(name)
    return countries, frozenset(regions)


def _split(names: str) -> list[str]:
    return [name.replace("_", " ") for name in names.split()]


_COUNTRY, _REGIONS = _read_table()
_ANY = re.compile(
    r"(?<!\w)(?:" + "|".join(re.escape(n) for n in sorted(_COUNTRY, key=len, reverse=True)) + r")(?!\w)"
)


# A whole name of a known part of a country: a state, a province.
REGION = r"^(?:" + "|".join(re.escape(n) for n in sorted(_REGIONS, key=len, reverse=True)) + r")$"


def countries(text: str, regions: bool = False) -> list[tuple[str, int, int]]:
    """Return the countries that ``text`` names, each with its place, in order.

    Demonyms count ("Danish" is Denmark); ``regions`` lets states, cities and languages count, too.
    """
    return [
        (_COUNTRY[m.group()], m.start(), m.end())
        for m in _ANY.finditer(text)
        if regions or m.group() not in _REGIONS
    ]


def is_demonym(name: str) -> bool:
    """Return whether ``name`` is a country or what its people are called."""
    return name in _COUNTRY and name not in _REGIONS
