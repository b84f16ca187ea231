# ruff: noqa: T201  # written as users write programs
import base64
import os
import struct
import zlib

from openai import OpenAI


def chunk(kind: bytes, data: bytes) -> bytes:
    check = zlib.crc32(kind + data)
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", check)


SIZE = 48
header = struct.pack(">IIBBBBB", SIZE, SIZE, 8, 2, 0, 0, 0)
pixels = zlib.compress((b"\0" + b"\xc8\x14\x28" * SIZE) * SIZE)
png = b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", pixels)
picture = base64.b64encode(png + chunk(b"IEND", b"")).decode()

client = OpenAI(base_url=os.environ["DEEPSEEK_BASE_URL"], api_key="any")
response = client.chat.completions.create(
    model="deepseek-flash",
    messages=[
        {
            "role": "user",
            "content": [
                {"type": "text", "text": "Which colour is this square?"},
                {
                    "type": "image_url",
                    "image_url": {"url": f"data:image/png;base64,{picture}"},
                },
            ],
        }
    ],
)
print(response.choices[0].message.content)
