"""The repository that a site's links lead to. Without one, no address is made up."""

import re
from argparse import ArgumentTypeError
from dataclasses import dataclass, replace

ADDRESS = re.compile(r"https://(?P<host>[\w.-]+)/(?P<name>[\w.-]+/[\w./-]*[\w-])(\.git)?/?")


@dataclass(frozen=True)
class Repository:
    """A public repository: its host, the path of the repository there, and a branch."""

    host: str
    name: str
    branch: str = "main"

    @classmethod
    def read(cls, address: str) -> "Repository":
        """The repository at an address such as https://github.com/OWNER/NAME."""
        match = ADDRESS.fullmatch(address)
        if not match:
            raise ArgumentTypeError(f"{address!r} is no address like https://HOST/OWNER/NAME")
        return cls(match["host"], match["name"].removesuffix(".git"))

    def on(self, branch: str) -> "Repository":
        """The same on another branch."""
        return replace(self, branch=branch)

    @property
    def address(self) -> str:
        return f"https://{self.host}/{self.name}"

    def file(self, path: str) -> str:
        """The address of a file, or of the repository where its host's addresses are not known."""
        known = {"github.com": "blob", "codeberg.org": "src/branch"}
        if self.host not in known:
            return self.address
        return f"{self.address}/{known[self.host]}/{self.branch}/{path}"

    def links(self, path: str) -> dict[str, str]:
        """What a page offers for a notebook: words -> address. Only GitHub's are known to all."""
        if self.host != "github.com":
            return {"Source": self.file(path)}
        name, branch = self.name, self.branch
        return {
            "Open in Colab": f"https://colab.research.google.com/github/{name}/blob/{branch}/{path}",
            "Open in Binder": f"https://mybinder.org/v2/gh/{name}/{branch}?urlpath=lab/tree/{path}",
            "Open in Codespaces": f"https://codespaces.new/{name}?ref={branch}",
            "Source": self.file(path),
            "Edit": f"{self.address}/edit/{branch}/{path}",
        }
