# A headless node: docker build -f docker/node.Dockerfile -t kindling-node .
FROM node:26.10.0-bookworm-slim AS build
WORKDIR /app
COPY package.json package-lock.json .npmrc ./
COPY client/cli/bin client/cli/bin
# A node gets its workloads from the coordinator: nothing is compiled here. Node itself comes with the image.
RUN npm ci --omit=dev --ignore-scripts && rm -rf node_modules/node-linux-*
COPY client client
COPY coordinator coordinator
COPY shared shared
COPY workloads workloads
COPY docker docker

FROM node:26.10.0-bookworm-slim
ENV NODE_ENV=production
ENV KINDLING_URL=http://coordinator:8080
WORKDIR /app
COPY --from=build /app /app
USER node
# Healthy is a node that reaches its coordinator.
HEALTHCHECK --interval=10s --timeout=3s --start-period=20s --retries=3 \
  CMD ["sh", "-c", "exec node docker/health.mjs \"$KINDLING_URL/readyz\""]
ENTRYPOINT ["sh", "-c", "exec node client/cli/kindling.ts node --join \"$KINDLING_URL\" --token-file /join/token \"$@\"", "kindling-node"]
