# ruff: noqa: T201  # written as users write programs
import os

from langchain_core.output_parsers import StrOutputParser
from langchain_core.prompts import ChatPromptTemplate
from langchain_deepseek import ChatDeepSeek

model = ChatDeepSeek(
    model="deepseek-flash", api_base=os.environ["DEEPSEEK_BASE_URL"], api_key="any"
)
prompt = ChatPromptTemplate.from_messages(
    [("system", "You count letters."), ("user", "How many r's are in {word}?")]
)
chain = prompt | model | StrOutputParser()
print(chain.invoke({"word": "strawberry"}))
