"""What diffusers' PixArt makes of random captions when it cleans them, twice. FOLDER SEED COUNT

Captions are put together from pieces that a rule is about and from ordinary words. Left out, and
counted, are those in which ftfy finds text that was decoded by a wrong table, and those in which
BeautifulSoup finds a character's name that HTML 4 does not have, or `&#` without its number."""
import html
import html.entities
import pathlib
import random
import re
import sys
import types
import unicodedata
import warnings

import ftfy
import torch
from bs4 import BeautifulSoup
from diffusers.pipelines.pixart_alpha import pipeline_pixart_alpha as pixart
from safetensors.torch import save_file

folder, seed, count = pathlib.Path(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3])
rng = random.Random(seed)
warnings.simplefilter("ignore")  # BeautifulSoup takes short captions for file names

LETTERS = "abcdefghijklmnopqrstuvwxyz"
ORDINARY = """a photo of the red cat on wooden table with two people standing in front sunset over mountains
 Oil Painting portrait by old master, highly detailed; 4k HDR 8K f/1.8 35mm don't it's "quoted" 'single'
 naïve café Größe ÉCOLE ŒUVRE straße ΟΔΥΣΣΕΥΣ ΣΑΣ. İstanbul Привет МИР 한국어 ひらがな カタカナ नमस्ते مرحبا
 3d x-ray T-shirt rock'n'roll R&B AT&T 50% 100%25 c++ C# 1,000 3.14 10:30 2:1 $5 €20 e.g. i.e. Mr. U.S.A. -- ... !? ☃ 🎨 ½
 page download free shipping click worldwide images image png person""".split()
DASHES = "-֊־᐀᠆‐‑‒–—―⸗⸚⸺⸻⹀〜〰゠︱︲﹘﹣－"
SPACES = [" "] * 12 + ["  ", "\t", "\n", "\r\n", "\r", "\u00a0", "\u2003", "\u3000", "\u2028", "\x1c", "\x0b", "\u200b", ""]
NAMES = ["amp", "quot", "lt", "gt", "nbsp", "copy", "eacute", "Eacute", "ndash", "mdash", "rsquo",
         "ldquo", "frac12", "hellip", "trade", "unknownname", "apos1", "middot", "times", "AMP", "ouml"]


def pick(*choices):
    return rng.choice(choices)


def letters(low, high):
    return "".join(rng.choice(LETTERS) for _ in range(rng.randint(low, high)))


def digits(low, high):
    return "".join(rng.choice("0123456789") for _ in range(rng.randint(low, high)))


def address():
    host = ".".join([pick("www", letters(1, 6), "my-" + letters(2, 4))] + [letters(1, 5) for _ in range(rng.randint(0, 2))])
    domain = pick("com", "co", "ru", "net", "org", "edu", "gov", "it", "uk", "de", "co.uk", "items", "comic")
    path = pick("", "/", "/" + letters(1, 5), "/" + letters(2, 4) + "/" + digits(1, 7), "/a-b_c.html", "/?q=" + letters(1, 3), "/-", "--")
    return pick("", "", "http://", "https://", "http:/", "HTTPS://", "http:", "www:", "www://", "https:////", "http:%41") + host + "." + domain + path


def markup():
    name = pick("b", "i", "div", "span", "a", "p", "h1", "img", "br", "Strong", "x-tag")
    attributes = pick("", "", " href='" + letters(1, 4) + ">'", ' class="a b"', " checked", " width=10", ' alt="it\'s" id=x', " data-x = 'y' ")
    inner = rng.choice(ORDINARY)
    return pick(f"<{name}{attributes}>{inner}</{name}>", f"<{name}{attributes}/>", f"<{name}{attributes}>", f"</{name} >",
                f"<!-- {inner} -->", "<!DOCTYPE html>", f"<?{name} {inner}?>", f"<script{attributes}>if (a < b) x='{inner}';</script>",
                f"<style>{inner} {{}}</style>", f"<{name}> </{name}>", f"<{name}>\n </{name}>", "<person>", "<3", "a < b", "x > y", "<-", "<")


def reference():
    return pick(f"&{rng.choice(NAMES)};", f"&{rng.choice(NAMES)} ", f"&#{rng.choice([39, 34, 65, 97, 38, 60, 233, 8211, 128, 150, 160, 20013, 128512])};",
                f"&#x{rng.choice(['27', 'e9', '41', '2014', '4E2D', '1F600'])};", "&", "& ", "&;", "&quot", "&amp", "&amp;quot;", "&amp;amp;")


def percent():
    return pick("%20", "%C3%A9", "%e4%b8%ad", "%zz", "%", "%2", "%FF", "%C3", "%E2%82", "+", "a+b", "%26lt%3B", "%3Cb%3E", "%0A", "%F0%9F%98%80")


def article():
    return pick(letters(1, 4) + digits(1, 17), letters(1, 5) + digits(1, 5) + letters(1, 4), digits(1, 5) + letters(1, 5) + digits(1, 5),
                letters(0, 1) + digits(1, 2) + letters(1, 2) + digits(1, 2) + letters(0, 2) + digits(0, 2), "#" + digits(1, 7), digits(4, 9),
                digits(1, 2) + ":" + digits(1, 3), "#" + digits(1, 3) + letters(0, 1), letters(2, 3) + "_" + digits(3, 4), "é" + digits(6, 6))


def size():
    number = lambda: digits(1, 4) + pick("", "", ".", "." + digits(1, 2))
    return number() + pick("x", "X", "х", "×", " x ", "*") + number() + pick("", "", "cm", "x" + digits(1, 2), "a")


def shop():
    return pick("free shipping", "worldwide  free shipping", "Worldwide Shipping", "free  shipping", "freeshipping", "free download", "download free",
                "free download free", "downloads", "click for more", "click on image", "click  for x", "doubleclick for more", "page 12", "page  3a",
                "png", "jpg image", "PDF images", "pngs", "mp4 imagery", "homepage 5", "png  image")


def file_name():
    return pick("", "IMG_", "/tmp/", "a.b.") + letters(0, 5) + digits(0, 4) + "." + pick("png", "jpg", "jpeg", "bmp", "webp", "eps", "pdf", "apk", "mp4", "gif", "JPG", "jpg.txt", "mp4.png")


def quoted():
    left, right = pick(("\"", "\""), ("'", "'"), ("“", "”"), ("‘", "’"), ("«", "»"), ("``", "´´"), ("\"\"\"", "'"), ("¨", "`"), ("„", "‟"), ("ʼ", "'"))
    return left + rng.choice(ORDINARY) + right


def signs():
    return "".join(rng.choice("#®•©™&@·º½¾¿¡§~)(][}{|\\/*-_.,:;+'\"!") for _ in range(rng.randint(1, 5)))


def scripts():
    return pick("中文字", "漢", "㈱㌀", "ㇰㇱ", "㐀䷀", "カ中タ", "ﬁne", "ﬂower", "ĳs", "ﬅ", "ＡＢＣ", "１２３", "ｶﾞ", "＆", "！", "ΣΑΣ", "e\u0301", "\ufeff", "\u206a",
                "٣٤٥٦٧٨", "x²", "①", "Ⅳ", "ǆ", "ŉ", "\\n", "a\\nb", "\x07", "²³")


def any_characters():
    """Those that Python's Unicode knows; utf8proc's is newer. (It composes U+11A7, which it must not.)"""
    found = ""
    while len(found) < 3:
        c = chr(pick(rng.randint(0, 0x2FFF), rng.randint(0xA000, 0xFFFF), rng.randint(0, 0x1FFFF)))
        found += c if unicodedata.category(c) not in ("Cn", "Cs", "Co") and c != "\u11a7" else ""
    return found


def network_address():
    return ".".join(digits(1, 4) for _ in range(rng.randint(3, 5)))


PIECES = [address, markup, reference, percent, article, size, shop, file_name, quoted, signs, scripts, network_address, any_characters,
          lambda: "@" + letters(1, 6) + pick("", "_", "99", "."), lambda: letters(1, 4) + "@" + letters(1, 4) + pick(".com", ".de", ".it/x"),
          lambda: letters(1, 3) + rng.choice(DASHES) * rng.randint(1, 3) + letters(1, 3),
          lambda: pick("this-is-my-cute-cat", "one_two_three_four", "a,b", "1,b", "word.word", "and/or", " : ", "name : value", " . ", "....", ".hidden", "a.5", "_x_", "-x", "x:", "+")]


def caption():
    parts = []
    for _ in range(rng.choice([1, 2, 3, 6, 12])):
        parts.append(rng.choice(PIECES)() if rng.random() < 0.5 else rng.choice(ORDINARY))
        parts.append(rng.choice(SPACES))
    return "".join(parts if rng.random() < 0.3 else parts[:-1])


# Their authors strip after html.unescape; diffusers does not.
pixart.html = types.SimpleNamespace(unescape=lambda text: html.unescape(text).strip())
is_left_out = False


def fix_text(text):
    global is_left_out
    text = ftfy.fixes.fix_c1_controls(text)
    is_left_out = is_left_out or ftfy.fix_encoding(text) != text
    return ftfy.fix_text(text)


def soup(text, features):
    global is_left_out
    newer = html.entities.html5.keys() - {name + ";" for name in html.entities.name2codepoint}
    is_left_out = is_left_out or any(name + ";" in newer for name in re.findall("&([a-z][a-z0-9]*)", text))
    is_left_out = is_left_out or re.search("&#(?!(?:[0-9]+|x[0-9a-f]+)[^0-9a-f])", text) is not None
    return BeautifulSoup(text, features=features)


pixart.ftfy = types.SimpleNamespace(fix_text=fix_text)
pixart.BeautifulSoup = soup
pipeline = types.SimpleNamespace(bad_punct_regex=pixart.PixArtAlphaPipeline.bad_punct_regex)
clean = pixart.PixArtAlphaPipeline._clean_caption

texts, cleaned, left_out = [], [], 0
while len(texts) < count:
    text = caption()
    is_left_out = False
    result = clean(pipeline, clean(pipeline, text))
    if is_left_out:
        left_out += 1
        continue
    texts.append(text)
    cleaned.append(result)


def packed(lines):
    data, ends = bytearray(), []
    for line in lines:
        data += line.encode()
        ends.append(len(data))
    return torch.frombuffer(data, dtype=torch.uint8), torch.tensor(ends)


text, text_ends = packed(texts)
wanted, wanted_ends = packed(cleaned)
save_file({"text": text, "text_ends": text_ends, "cleaned": wanted, "cleaned_ends": wanted_ends,
           "left_out": torch.tensor([left_out])}, folder / "out.safetensors")
