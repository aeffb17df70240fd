// Sends a file by tus-js-client as it is, and says how far it has come: node resuming.mjs PACKAGES FILE ENDPOINT TOKEN
import { createReadStream, statSync } from 'node:fs'
import { createRequire } from 'node:module'

const [packages, file, endpoint, token] = process.argv.slice(2)
const tus = createRequire(packages)('tus-js-client')
const upload = new tus.Upload(createReadStream(file), {
  endpoint,
  chunkSize: 1_000_000,
  uploadSize: statSync(file).size,
  headers: { Authorization: `Bearer ${token}` },
  retryDelays: [100, 500, 1000, 2000, 4000, 8000],
  metadata: { filename: 'Deed of 1907.pdf', filetype: 'application/pdf' },
  onChunkComplete: (_size, accepted) => console.log(accepted),
  onSuccess: ({ lastResponse }) => console.log(lastResponse.getHeader('Upload-Document')),
  onError: (error) => {
    console.error(String(error))
    process.exit(1)
  },
})
upload.start()
