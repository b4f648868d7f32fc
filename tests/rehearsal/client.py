"""The official `openai` client against the rehearsal's services."""

import base64
import io
import json
import math
import sys

import openai
from PIL import Image

client = openai.OpenAI(base_url=sys.argv[1], max_retries=0)
PROMPT = "the word CAT in green letters above two small red circles"

assert [m.id for m in client.models.list()] == ["aurora", "glyph", "meadow", "drift", "judge"]


def draw(model, prompt, size="128x128", n=1):
    answer = client.images.generate(
        model=model, prompt=prompt, size=size, n=n, output_format="png", quality="low"
    )
    assert answer.usage.total_tokens > 0
    pictures = [base64.b64decode(item.b64_json, validate=True) for item in answer.data]
    for picture in pictures:
        image = Image.open(io.BytesIO(picture))
        image.load()
        assert image.format == "PNG" and f"{image.width}x{image.height}" == size
    return pictures


right = draw("glyph", PROMPT)[0]
wrong = draw("glyph", "a person in a blue shirt waving on the left")[0]
assert len(set(draw("drift", PROMPT, "192x128", 3))) == 3


def as_jpeg(png):
    out = io.BytesIO()
    Image.open(io.BytesIO(png)).convert("RGB").save(out, "JPEG", quality=92)
    return out.getvalue()


def url(data, kind="png"):
    data = base64.b64encode(data).decode()
    return {"type": "image_url", "image_url": {"url": f"data:image/{kind};base64,{data}"}}


SCHEMA = {
    "type": "object",
    "properties": {
        "winner": {"type": "string", "enum": ["A", "B", "tie"]},
        "confidence": {"type": "integer"},
    },
    "required": ["winner", "confidence"],
    "additionalProperties": False,
}


def verdict(first, second):
    answer = client.chat.completions.create(
        model="judge",
        temperature=0,
        max_completion_tokens=64,
        logprobs=True,
        top_logprobs=5,
        messages=[
            {"role": "system", "content": "You compare two images."},
            {
                "role": "user",
                "content": [
                    {"type": "text", "text": f"Description: {PROMPT}\nPicture A:"},
                    first,
                    {"type": "text", "text": "Picture B:"},
                    second,
                    {"type": "text", "text": "Which shows it better?"},
                ],
            },
        ],
        response_format={
            "type": "json_schema",
            "json_schema": {"name": "verdict", "strict": True, "schema": SCHEMA},
        },
    )
    choice = answer.choices[0]
    assert choice.finish_reason == "stop" and answer.model == "judge"
    result = json.loads(choice.message.content)
    assert set(result) == {"winner", "confidence"} and 0 <= result["confidence"] <= 100
    tops = {
        t.token: math.exp(t.logprob)
        for token in choice.logprobs.content
        if len(token.top_logprobs) > 1
        for t in token.top_logprobs
    }
    assert set(tops) == {"A", "B", "tie"} and abs(sum(tops.values()) - 1) < 1e-6
    return result["winner"]


assert verdict(url(right), url(wrong)) == "A"
assert verdict(url(wrong), url(right)) == "B"
assert verdict(url(as_jpeg(right), "jpeg"), url(wrong)) == "A"

for call, error in [
    (lambda: draw("dall-e-2", PROMPT), openai.NotFoundError),
    (lambda: draw("glyph", PROMPT, "7x7"), openai.BadRequestError),
    (lambda: verdict(url(right), url(b"no picture")), openai.BadRequestError),
    (lambda: verdict(url(right), url(wrong, "webp")), openai.BadRequestError),
    (lambda: openai.OpenAI(base_url=sys.argv[1], api_key="x").models.list(),
     openai.AuthenticationError),
]:
    try:
        call()
    except error:
        continue
    raise AssertionError(error)
print("all checked")
